"""Gray, deep, rotated and differently sized images train through mmpod's heads."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpretrain import get_model
from mmpretrain.registry import DATASETS
from PIL import Image

import mmpod

SIZES = {'a': (12, 10), 'b': (9, 16)}


def write(folder, kind):
    random = np.random.RandomState(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    for label, size in SIZES.items():
        (folder / label).mkdir()
        pixels = random.randint(0, 256, (*size, 3), np.uint8)
        if kind == 'EXIF':
            Image.fromarray(pixels).save(folder / label / '0.jpg', exif=exif)
        else:
            cv2.imwrite(str(folder / label / '0.png'), pixels.astype(np.uint16) * 257 if kind == '16-bit' else pixels)


@pytest.mark.parametrize('kind', ['plain', 'gray', '16-bit', 'EXIF'])
def test_they_train(kind, tmp_path):
    write(tmp_path, kind)
    channels = 1 if kind == 'gray' else 3
    load = dict(type='LoadImageFromFile', color_type='grayscale' if kind == 'gray' else 'color')
    pipeline = [load, dict(type='PackInputs')]
    dataset = DATASETS.build(dict(type='CustomDataset', data_root=str(tmp_path), pipeline=pipeline))
    cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
    cfg.data_preprocessor = dict(num_classes=10, mean=[100.0] * channels, std=[50.0] * channels, to_rgb=True)
    cfg.model.backbone.in_channels = channels
    model = get_model(cfg).train()
    batch = model.data_preprocessor(pseudo_collate([dataset[0], dataset[1]]), training=True)
    # Padded to the largest; EXIF has turned 12 x 10 into 10 x 12, and 9 x 16 into 16 x 9.
    assert batch['inputs'].shape == (2, channels, 16 if kind == 'EXIF' else 12, 12 if kind == 'EXIF' else 16)
    losses = model(**batch, mode='loss')
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert model.backbone.conv1.weight.grad.abs().sum() > 0

"""A Runner trains a converted config on gray, deep and differently sized files wherever it trains the original."""

import copy

import cv2
import numpy as np
import pytest
from mmengine.config import Config

import mmpod
from mmpod.engine.runner_session import runner_session

RESIZE = dict(type='Resize', scale=(32, 32))


def write(folder, kind):
    random = np.random.RandomState(0)
    for index in range(8):
        size = (40, 30) if index % 4 < 2 else (32, 48)
        path = folder / 'ab'[index % 2] / f'{index}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.randint(0, 256, size if kind == 'gray' else (*size, 3), np.uint8)
        cv2.imwrite(str(path), pixels.astype(np.uint16) * 257 if kind == '16-bit' else pixels)
    if kind == 'truncated':
        path.write_bytes(path.read_bytes()[:20])


def config(folder, read='color', steps=(RESIZE,), channels=3, collate='default_collate'):
    pipeline = [dict(type='LoadImageFromFile', color_type=read), *steps, dict(type='PackInputs')]
    return Config(
        dict(
            default_scope='mmpretrain',
            work_dir=str(folder / 'work'),
            model=dict(
                type='ImageClassifier',
                backbone=dict(type='ResNet', depth=18, base_channels=2, stem_channels=4, in_channels=channels),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=2, in_channels=16),
            ),
            data_preprocessor=dict(num_classes=2, mean=[120.0] * channels, std=[60.0] * channels, to_rgb=channels == 3),
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                dataset=dict(type='CustomDataset', data_root=str(folder / 'images'), pipeline=pipeline),
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type=collate),
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        )
    )


def outcome(cfg):
    """Train for an epoch; return the error, if there is one."""
    try:
        with runner_session(cfg) as runner:
            runner.train()
            assert runner.iter == 2 and np.isfinite(runner.message_hub.get_scalar('train/loss').current())
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return 'trains'


@pytest.mark.parametrize(
    'files, settings, expected',
    [
        ('colour', {}, 'trains'),
        ('colour', dict(steps=()), 'stack expects each tensor to be equal size'),
        ('colour', dict(steps=(), collate='pseudo_collate'), 'trains'),  # padded
        ('gray', {}, 'trains'),
        ('gray', dict(read='grayscale', channels=1), 'trains'),
        ('gray', dict(read='grayscale'), 'trains'),  # `mean` broadcasts one channel to three
        ('colour', dict(channels=1), 'to have 1 channels, but got 3 channels instead'),
        ('16-bit', {}, 'trains'),
        ('16-bit', dict(read='unchanged'), ''),  # trains where PyTorch has uint16
        ('truncated', {}, '7.png'),
    ],
)
def test_a_converted_config_trains_where_its_original_does(files, settings, expected, tmp_path):
    write(tmp_path / 'images', files)
    original = config(tmp_path, **settings)
    before = copy.deepcopy(original)
    found = outcome(original)
    assert expected in found
    converted = mmpod.convert(before, in_channels=None if found == 'trains' else 16)
    assert outcome(converted) == found

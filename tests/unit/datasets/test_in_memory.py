"""Decoded images in memory and augmentation in batches give what mmpretrain's pipeline gives."""

import random

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS, MODELS
from torch.testing import assert_close
from torch.utils.data import DataLoader

from mmpod.functional import crop_and_flip

PADDING, SIZE = 2, 8
PIPELINE = [
    dict(type='RandomCrop', crop_size=SIZE, padding=PADDING),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
NORMALISE = dict(num_classes=10, mean=[78.0] * 3, std=[96.0] * 3, to_rgb=True)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


def digits(pipeline):
    return dict(type='mmpod.SklearnDigits', split='test', pipeline=pipeline)


def in_memory():
    return DATASETS.build(dict(type='mmpod.InMemoryImages', dataset=digits([])))


def all_variants(image):
    """Return the 2 (2 PADDING + 1)^2 crops and flips of an image (C, H, W), by slices."""
    padded = torch.zeros(image.shape[0], SIZE + 2 * PADDING, SIZE + 2 * PADDING, dtype=image.dtype)
    padded[:, PADDING : PADDING + SIZE, PADDING : PADDING + SIZE] = image
    offsets = range(2 * PADDING + 1)
    crops = [padded[:, top : top + SIZE, left : left + SIZE] for top in offsets for left in offsets]
    return torch.stack([variant for crop in crops for variant in (crop, crop.flip(2))])


def counts_of_variants(images, variants):
    """Return how often each variant occurs among images, each of which must be one of them."""
    matches = (images.unsqueeze(1) == variants.unsqueeze(0)).flatten(2).all(2)
    assert (matches.sum(1) == 1).all()
    return matches.sum(0)


def test_crops_and_flips_are_the_slices():
    image = torch.arange(3 * SIZE * SIZE).reshape(3, SIZE, SIZE)
    grid = [(top, left, flip) for top in range(5) for left in range(5) for flip in (False, True)]
    tops, lefts, flips = (torch.tensor(column) for column in zip(*grid))
    cropped = crop_and_flip(image.expand(50, -1, -1, -1), tops, lefts, flips, PADDING)
    assert_close(cropped, all_variants(image), rtol=0, atol=0)
    assert cropped.is_contiguous(memory_format=torch.channels_last)


def test_both_paths_have_the_same_distribution():
    """5,000 draws of one image over its 50 variants: both uniform, by the chi-squared statistic at 49 degrees."""
    image = torch.randint(1, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    variants, draws = all_variants(image), 5000
    np.random.seed(0), random.seed(0)
    transforms = DATASETS.build(digits(PIPELINE)).pipeline
    pixels = image.permute(1, 2, 0).numpy()
    host = torch.stack([transforms(dict(img=pixels.copy(), gt_label=0))['inputs'] for _ in range(draws)])
    plain = dict(num_classes=10)
    preprocessor = MODELS.build(dict(type='mmpod.CropFlipPreprocessor', padding=PADDING, **plain))
    ours = preprocessor(dict(inputs=image.expand(draws, -1, -1, -1)), training=True)['inputs']
    for drawn in (host, ours.to(torch.uint8)):
        counts = counts_of_variants(drawn, variants)
        statistic = ((counts - draws / 50) ** 2 / (draws / 50)).sum().item()
        assert statistic < 85.4  # exceeded once in a thousand


def test_without_augmentation_both_paths_give_the_same_batch():
    host = DATASETS.build(digits([dict(type='PackInputs')]))
    batches = []
    for dataset, name in ((host, 'ClsDataPreprocessor'), (in_memory(), 'mmpod.CropFlipPreprocessor')):
        loader = DataLoader(dataset, batch_size=7, collate_fn=pseudo_collate)
        batches.append(MODELS.build(dict(type=name, **NORMALISE))(next(iter(loader)), training=False))
    assert_close(batches[1]['inputs'], batches[0]['inputs'])
    labels = [torch.cat([sample.gt_label for sample in batch['data_samples']]) for batch in batches]
    assert_close(*labels)
    assert [sample.sample_idx for sample in batches[1]['data_samples']] == list(range(7))
    assert len(in_memory()) == len(host) and in_memory().metainfo['classes'] == host.metainfo['classes']


def test_augmentation_leaves_the_images_in_memory_as_they_are():
    dataset = in_memory()
    before = dataset.images.clone()
    preprocessor = MODELS.build(
        dict(
            type='mmpod.CropFlipPreprocessor', batch_augments=dict(augments=dict(type='Mixup', alpha=1.0)), **NORMALISE
        )
    )
    for _ in range(2):
        batch = pseudo_collate(dataset.__getitems__([0, 3, 5]))
        result = preprocessor(batch, training=True)
    assert result['inputs'].shape == (3, 3, SIZE, SIZE) and 'gt_score' in result['data_samples'][0]
    assert_close(dataset.images, before, rtol=0, atol=0)
    assert 'gt_score' not in dataset[0]['data_samples']


def test_colours_are_normalised_as_in_mmpretrain():
    """BGR in, RGB out; without padding and flips, the images are as they were."""
    image = torch.tensor([40, 120, 200], dtype=torch.uint8).view(3, 1, 1).expand(3, SIZE, SIZE)
    options = dict(mean=[100.0, 110.0, 120.0], std=[50.0, 51.0, 52.0], to_rgb=True)
    preprocessor = MODELS.build(dict(type='mmpod.CropFlipPreprocessor', padding=0, flip_prob=0, **options))
    (got,) = preprocessor(dict(inputs=[image]), training=True)['inputs']
    assert_close(got.mean(dim=(1, 2)), torch.tensor([100 / 50, 10 / 51, -80 / 52]))


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_gray_and_16_bit_images(dtype, tmp_path):
    """As mmpretrain's preprocessor gives them, here without augmentation."""
    for label in ('a', 'b'):
        (tmp_path / label).mkdir()
        cv2.imwrite(str(tmp_path / label / '0.png'), np.random.randint(0, np.iinfo(dtype).max, (SIZE, 6)).astype(dtype))
    load = dict(type='LoadImageFromFile', color_type='unchanged')
    folder = dict(type='CustomDataset', data_root=str(tmp_path))
    if dtype == np.uint16 and not hasattr(torch, 'uint16'):
        pytest.skip('this version of PyTorch has no uint16, nor do the images of mmpretrain')
    inputs = []
    for dataset, name in (
        (dict(folder, pipeline=[load, dict(type='PackInputs')]), 'ClsDataPreprocessor'),
        (
            dict(type='mmpod.InMemoryImages', dataset=dict(folder, pipeline=[load])),
            'mmpod.CropFlipPreprocessor',
        ),
    ):
        built = DATASETS.build(dataset)
        options = dict(padding=0, flip_prob=0) if name.startswith('mmpod') else {}
        preprocessor = MODELS.build(dict(type=name, mean=[100.0], std=[50.0], **options))
        inputs.append(preprocessor(pseudo_collate([built[0], built[1]]), training=True)['inputs'])
    assert inputs[0].shape == (2, 1, SIZE, 6)
    assert_close(*inputs)


def test_bad_settings_are_named(tmp_path):
    with pytest.raises(ValueError, match='pipeline.*InMemoryImages.*None'):
        DATASETS.build(dict(type='mmpod.InMemoryImages', dataset=digits([dict(type='PackInputs')])))
    cv2.imwrite(str(tmp_path / '0.png'), np.zeros((SIZE, SIZE, 3), np.uint8))
    unlabelled = dict(type='mmpod.UnlabelledImages', data_root=str(tmp_path), pipeline=[dict(type='LoadImageFromFile')])
    with pytest.raises(ValueError, match='labels for InMemoryImages.*UnlabelledImages.*Leave fast=True out'):
        DATASETS.build(dict(type='mmpod.InMemoryImages', dataset=unlabelled))
    for name, value in (('padding', -1), ('flip_prob', 1.5)):
        with pytest.raises(ValueError, match=name):
            MODELS.build(dict(type='mmpod.CropFlipPreprocessor', **{name: value}))

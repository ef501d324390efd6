import pytest
import torch
from mmengine.config import ConfigDict
from mmpretrain.datasets import BaseDataset

from mmpod.datasets import file_pipeline
from mmpod.datasets.channel_orders import check_channel_order
from mmpod.utils.errors import UserError

LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')
SWAP = [dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy')]


@pytest.mark.parametrize('wrap', [lambda one: one, lambda one: dict(type='ConcatDataset', datasets=[one])])
def test_bgr_taken_for_rgb_is_refused(wrap):
    dataset = wrap(dict(type='mmpod.CIFAR10AnyLayout'))
    cfg = ConfigDict(test_dataloader=dict(dataset=dataset), data_preprocessor=dict(mean=[125, 123, 114]))
    with pytest.raises(UserError, match='to_rgb=True .*CIFAR10AnyLayout delivers BGR'):
        check_channel_order(cfg)
    check_channel_order(ConfigDict(cfg, data_preprocessor=dict(mean=[125, 123, 114], to_rgb=True)))
    check_channel_order(ConfigDict(cfg, data_preprocessor=dict(mean=[78, 78, 78])))


def data(kind, *pipeline, **options):
    return dict(dataset=dict(type=kind, data_root='nowhere', pipeline=list(pipeline), **options))


AUGMENTED = [
    dict(type='RandomResizedCrop', scale=32),
    dict(type='AutoAugment', policies='imagenet'),
    dict(type='ColorJitter', brightness=0.5, contrast=0.5, saturation=0.5, hue=0.5),
    dict(type='Invert', prob=0.5),
    dict(type='RandomErasing', erase_prob=1.0, mode='rand'),
]


@pytest.mark.parametrize(
    'train, val',
    [
        (data('CIFAR10', PACK), data('CustomDataset', LOAD, PACK)),
        (data('CIFAR10', dict(type='RandomCrop', crop_size=32, padding=4), PACK), data('CustomDataset', LOAD, PACK)),
        (data('CIFAR100', PACK), data('mmpod.CIFAR100AnyLayout', PACK)),
        (data('CustomDataset', LOAD, *SWAP, PACK), data('CustomDataset', LOAD, PACK)),
        (dict(dataset=dict(type='mmpod.InMemoryImages', **data('CIFAR10'))), data('CustomDataset', LOAD, PACK)),
    ],
    ids=['CIFAR', 'augmented', "mmpod's", 'swapped', 'in memory'],
)
def test_images_in_different_channel_orders_are_refused(train, val):
    with pytest.raises(UserError, match=r'\(train_dataloader\) gives RGB.*\(val_dataloader\) gives BGR.*PILToNumpy'):
        check_channel_order(ConfigDict(train_dataloader=train, val_dataloader=val))


@pytest.mark.parametrize(
    'train, test',
    [
        (data('CIFAR10', PACK), data('CIFAR10', PACK)),
        (data('CIFAR10', *SWAP, PACK), data('CustomDataset', LOAD, PACK)),
        (data('mmpod.CIFAR10AnyLayout', PACK), data('CustomDataset', LOAD, PACK)),
        (data('CustomDataset', LOAD, *AUGMENTED, PACK), data('CustomDataset', LOAD, PACK)),
        (data('CustomDataset', LOAD, dict(type='Invert', prob=1.0), PACK), data('CustomDataset', LOAD, PACK)),
        (data('CIFAR10', PACK), data('CustomDataset', dict(LOAD, color_type='grayscale'), PACK)),
        (data('Unknown', PACK), data('CustomDataset', LOAD, PACK)),
        (data(BaseDataset, PACK), data('CustomDataset', LOAD, PACK)),
        (data('Unknown', PACK, dataset='cifar10'), data('CustomDataset', LOAD, PACK)),
        (dict(dataset=torch.utils.data.Dataset()), data('CustomDataset', LOAD, PACK)),
    ],
    ids=['CIFAR', 'swapped', "mmpod's", 'augmented', 'negative', 'gray', 'unknown', 'arrays', 'named', 'built'],
)
def test_images_in_one_channel_order_or_an_unknown_one_pass(train, test):
    check_channel_order(ConfigDict(train_dataloader=train, test_dataloader=test, data_preprocessor=dict(to_rgb=True)))


@pytest.mark.parametrize('kind', ['Unknown', BaseDataset])
def test_arrays_of_an_unknown_order_are_named(kind):
    with pytest.raises(ValueError, match='pipeline of (Unknown|BaseDataset) does not read .* order .* is unknown'):
        file_pipeline(dict(type=kind, pipeline=[PACK]))

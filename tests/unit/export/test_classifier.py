"""What of a config decides how an exported classifier takes its images."""

import pytest
import torch
from mmcv.transforms import LoadImageFromFile, Resize
from mmengine.config import Config
from mmpretrain import get_model
from mmpretrain.datasets import PackInputs
from torch.testing import assert_close

import mmpod
from mmpod.datasets import SklearnDigits
from mmpod.export.classifier import ExportWrapper
from mmpod.export.images import export_order, image_shape, sample_images


def config(name):
    return Config.fromfile(
        mmpod.config_file(name if name.startswith('_base_') or 'resnet50' in name else f'small/{name}')
    )


@pytest.mark.parametrize('name, side', [('digits_bs64', 8), ('facescrub_bs128', 64), ('imagenet_bs96', 224)])
def test_shape_and_order_without_the_data(name, side):
    cfg = config(f'_base_/datasets/{name}')
    assert image_shape(cfg, []) == (3, side, side) and export_order(cfg, 3) == 'bgr'


def digits(dataset):
    return Config(dict(test_dataloader=dict(dataset=dataset)))


LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')


def test_size_that_the_config_leaves_open():
    cfg = digits(dict(type='ImageNet', pipeline=[LOAD, dict(type='ResizeEdge', scale=256), PACK]))
    with pytest.raises(ValueError, match='--image-size HEIGHT WIDTH'):
        image_shape(cfg, [])
    assert image_shape(cfg, [], (224, 192)) == (3, 224, 192)
    images = [torch.zeros(3, 20, 30), torch.zeros(3, 20, 31)]
    with pytest.raises(ValueError, match='one size'):
        image_shape(cfg, images)
    assert image_shape(cfg, images[:1]) == (3, 20, 30)
    inner = dict(type='mmpod.TinyImageNet', pipeline=[LOAD])
    assert image_shape(digits(dict(type='mmpod.InMemoryImages', dataset=inner)), []) == (3, 64, 64)


def test_images_to_compare_on_are_spread_over_the_test_set():
    dataset = dict(type=SklearnDigits, split='test', pipeline=[PACK])  # 500 images
    whole = SklearnDigits(split='test', pipeline=[])
    images = [torch.from_numpy(whole[index]['img']).permute(2, 0, 1) for index in range(0, 496, 62)]
    assert_close(sample_images(digits(dataset)), images)


@pytest.mark.parametrize(
    'transforms, size',
    [
        ([dict(type='Resize', scale_factor=0.5)], (4, 4)),
        ([dict(type='Resize', scale=(32, 48))], (48, 32)),
        ([dict(type=Resize, scale=(32, 32)), dict(type=PackInputs)], (32, 32)),
        ([dict(type=PackInputs)], (8, 8)),
    ],
)
def test_size_is_that_of_the_test_set(transforms, size):
    pipeline = [*transforms, *([PACK] if transforms[-1]['type'] is not PackInputs else [])]
    cfg = digits(dict(type=SklearnDigits, split='test', pipeline=pipeline))
    images = sample_images(cfg)
    assert len(images) == 8 and image_shape(cfg, images) == (3, *size)
    assert export_order(cfg, 3) == 'bgr'


def test_order_of_mmpretrains_arrays():
    cifar = digits(dict(type='CIFAR10', data_root='nowhere', pipeline=[PACK]))
    assert export_order(cifar, 3) == 'rgb' and image_shape(cifar, []) == (3, 32, 32)
    gray = digits(dict(type='MNIST', data_root='nowhere', pipeline=[dict(type='Resize', scale=32), PACK]))
    assert image_shape(gray, []) == (1, 32, 32) and export_order(gray, 1) is None
    by_class = digits(dict(type=SklearnDigits, pipeline=[dict(type=LoadImageFromFile), PACK]))
    assert export_order(by_class, 3) == 'bgr'


def test_the_whole_is_in_evaluation_mode():
    """PyTorch's older ONNX exporter leaves all parts in the mode that the whole had."""
    classifier = ExportWrapper(get_model(config('pod_digits')), 'bgr')
    assert not any(module.training for module in classifier.modules())


def test_several_labels_per_image_are_refused():
    cfg = config('pod_digits')
    cfg.model.head = dict(type='MultiLabelLinearClsHead', num_classes=10, in_channels=64)
    with pytest.raises(TypeError, match='one label per image, but got MultiLabelLinearClsHead'):
        ExportWrapper(get_model(cfg), 'bgr')

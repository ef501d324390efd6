"""What of a config decides how an exported classifier takes its images."""

import pytest
from mmcv.transforms import LoadImageFromFile, Resize
from mmengine.config import Config
from mmpretrain import get_model
from mmpretrain.datasets import PackInputs

import mmpod
from mmpod.datasets import SklearnDigits
from mmpod.export.classifier import ExportWrapper, image_size, loads_bgr


def config(name):
    return Config.fromfile(mmpod.config_file(name if 'resnet50' in name else f'small/{name}'))


@pytest.mark.parametrize(
    'name, side, bgr',
    [
        ('pod_resnet50_cifar100', 32, False),
        ('pod_digits', 8, False),
        ('pod_resnet50_facescrub', 64, False),
        ('pod_resnet50_tinyimagenet', 64, True),
        ('pod_resnet50_imagenet', 224, True),  # ResizeEdge, then CenterCrop
    ],
)
def test_size_and_order_are_read_from_the_config(name, side, bgr):
    assert image_size(config(name)) == (side, side) and loads_bgr(config(name)) is bgr


def test_size_that_the_config_leaves_open():
    cfg = config('pod_digits')
    edge = [dict(type='LoadImageFromFile'), dict(type='ResizeEdge', scale=256), dict(type='PackInputs')]
    cfg.test_dataloader.dataset = dict(type='ImageNet', pipeline=edge)
    assert image_size(cfg) is None
    cfg.test_dataloader.dataset = dict(
        type='mmpod.InMemoryImages', dataset=dict(type='mmpod.TinyImageNet', pipeline=[])
    )
    assert image_size(cfg) == (64, 64)


@pytest.mark.parametrize(
    'transforms, size',
    [
        ([dict(type='Resize', scale_factor=0.5)], None),
        ([dict(type='Resize', scale_factor=0.5), dict(type='CenterCrop', crop_size=32)], (32, 32)),
        ([dict(type='CenterCrop', crop_size=32), dict(type='Resize', scale_factor=0.5)], None),
        ([dict(type=Resize, scale=(32, 32)), dict(type=PackInputs)], (32, 32)),
        ([dict(type=PackInputs)], (8, 8)),
    ],
)
def test_resizes_by_a_factor_and_transforms_given_as_classes(transforms, size):
    cfg = config('pod_digits')
    cfg.test_dataloader.dataset = dict(type=SklearnDigits, pipeline=[dict(type=LoadImageFromFile), *transforms])
    assert image_size(cfg) == size and loads_bgr(cfg)


def test_the_whole_is_in_evaluation_mode():
    """PyTorch's older ONNX exporter leaves all parts in the mode that the whole had."""
    classifier = ExportWrapper(get_model(config('pod_digits')), bgr=False)
    assert not any(module.training for module in classifier.modules())

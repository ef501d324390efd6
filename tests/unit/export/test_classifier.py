"""What of a config decides how an exported classifier takes its images."""

import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmpretrain import get_model
from torch.testing import assert_close

import mmpod
from mmpod.datasets import SklearnDigits
from mmpod.export.classifier import ExportWrapper
from mmpod.export.formats import export_classifier
from mmpod.export.sample_images import export_order, sample_images


def config(name):
    return Config.fromfile(
        mmpod.config_file(name if name.startswith('_base_') or 'resnet50' in name else f'small/{name}')
    )


@pytest.mark.parametrize('name', ['digits_bs64', 'facescrub_bs128', 'imagenet_bs96'])
def test_order_without_the_data(name):
    assert export_order(config(f'_base_/datasets/{name}'), 3) == 'bgr'


def digits(dataset):
    return Config(dict(test_dataloader=dict(dataset=dataset)))


PACK = dict(type='PackInputs')


def test_images_to_compare_on_are_spread_over_the_test_set():
    dataset = dict(type=SklearnDigits, split='test', pipeline=[PACK])  # 500 images
    whole = SklearnDigits(split='test', pipeline=[])
    images = [torch.from_numpy(whole[index]['img']).permute(2, 0, 1) for index in range(0, 496, 62)]
    assert_close(sample_images(digits(dataset)), images)


def test_order_of_mmpretrains_arrays():
    cifar = digits(dict(type='CIFAR10', data_root='nowhere', pipeline=[PACK]))
    assert export_order(cifar, 3) == 'rgb'
    gray = digits(dict(type='MNIST', data_root='nowhere', pipeline=[dict(type='Resize', scale=32), PACK]))
    assert export_order(gray, 1) is None
    by_class = digits(dict(type=SklearnDigits, pipeline=[dict(type=LoadImageFromFile), PACK]))
    assert export_order(by_class, 3) == 'bgr'


def test_the_whole_is_in_evaluation_mode():
    """PyTorch's older ONNX exporter leaves all parts in the mode that the whole had."""
    classifier = ExportWrapper(get_model(config('pod_digits')))
    assert not any(module.training for module in classifier.modules())


@pytest.mark.parametrize('kind', ['MultiLabelLinearClsHead', 'MultiTaskHead'])
def test_several_labels_per_image_are_refused(kind, tmp_path):
    cfg = config('pod_digits')
    if kind == 'MultiTaskHead':
        cfg.model.head = dict(type=kind, task_heads=dict(digit=cfg.model.head))
        pack = dict(type='PackMultiTaskInputs', multi_task_fields=['gt_label'], task_handlers=dict(digit=PACK))
        cfg.test_dataloader.dataset.pipeline = [pack]
    else:
        cfg.model.head = dict(type=kind, num_classes=10, in_channels=64)
    torch.save(dict(state_dict=get_model(cfg).state_dict()), tmp_path / 'weights.pth')
    for use in (mmpod.Inferencer, export_classifier):
        with pytest.raises(TypeError, match=f'one label per image, but got {kind}'):
            use(cfg, tmp_path / 'weights.pth')

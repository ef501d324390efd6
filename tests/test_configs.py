"""Every shipped config builds and takes a training step on images of its own size."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS, MODELS
from mmpretrain.structures import DataSample
from torch.testing import assert_close

from mmpod.models import PEDCCHead, PODLoss

CONFIGS = sorted((Path(__file__).resolve().parents[1] / 'configs').glob('*.py'))
# name: (classes, feat_dim, SC weight or None, epochs, milestones, total batch)
PAPER = (100, [30, 60, 90], 128)
SMALL = (15, [9, 13], 64)
EXPECTED = {
    'pod_resnet50_cifar10': (10, 256, 1.0, *PAPER),
    'cosine_resnet50_cifar10': (10, 256, 0.0, *PAPER),
    'softmax_resnet50_cifar10': (10, None, None, *PAPER),
    'pod_resnet50_cifar100': (100, 512, 1.0, *PAPER),
    'cosine_resnet50_cifar100': (100, 512, 0.0, *PAPER),
    'softmax_resnet50_cifar100': (100, None, None, *PAPER),
    'pod_resnet18w8_cifar10_10k': (10, 256, 1.0, *SMALL),
    'cosine_resnet18w8_cifar10_10k': (10, 256, 0.0, *SMALL),
    'softmax_resnet18w8_cifar10_10k': (10, None, None, *SMALL),
    'pod_resnet18w8_digits': (10, 256, 1.0, *SMALL),
    'softmax_resnet18w8_digits': (10, None, None, *SMALL),
}


def test_every_config_is_listed_here():
    assert {path.stem for path in CONFIGS} == set(EXPECTED)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_config_builds_and_takes_a_step(path):
    cfg = Config.fromfile(path)
    num_classes, feat_dim, sc_weight, epochs, milestones, batch = EXPECTED[path.stem]
    assert cfg.train_cfg.max_epochs == epochs and cfg.param_scheduler.milestones == milestones
    assert cfg.param_scheduler.gamma == 0.1
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ('SGD', 0.1, 0.9, 5e-4)
    assert cfg.data_preprocessor.num_classes == num_classes

    init_default_scope('mmpretrain')
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    model.init_weights()
    head = model.head
    assert head.num_classes == num_classes
    if feat_dim is not None:
        assert isinstance(head, PEDCCHead) and isinstance(head.loss_module, PODLoss)
        assert (head.feat_dim, head.loss_module.sc_weight) == (feat_dim, sc_weight)

    size = 8 if 'digits' in path.stem else 32
    data = dict(
        inputs=[torch.randint(0, 256, (3, size, size), dtype=torch.uint8) for _ in range(2)],
        data_samples=[DataSample().set_gt_label(label) for label in range(2)],
    )
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = head.fc.weight.detach().clone()
    losses = model.train_step(data, optim_wrapper)
    assert torch.isfinite(losses['loss'])
    assert (head.fc.weight - before).abs().max() > 0
    if feat_dim is not None:
        terms = sum(value for name, value in losses.items() if name.startswith('loss_'))
        assert_close(losses['loss'], terms)
        assert_close(head.centroids @ head.centroids.T, _simplex_gram(num_classes), rtol=0, atol=1e-5)


def _simplex_gram(num_classes):
    return torch.full((num_classes, num_classes), -1 / (num_classes - 1)).fill_diagonal_(1)


@pytest.mark.parametrize('name', ['cifar10', 'cifar100'])
def test_one_variable_points_the_leaf_at_an_image_folder(name, image_folder, monkeypatch):
    from mmpretrain.datasets import CIFAR10, CIFAR100

    init_default_scope('mmpretrain')
    classes = {'cifar10': CIFAR10, 'cifar100': CIFAR100}[name].METAINFO['classes']
    monkeypatch.setitem(os.environ, f'{name.upper()}_ROOT', str(image_folder(classes, per_class=1)))
    cfg = Config.fromfile(CONFIGS[0].parent / f'pod_resnet50_{name}.py')
    for loader, split in (('train', 'train'), ('val', 'test'), ('test', 'test')):
        dataset = DATASETS.build(cfg[f'{loader}_dataloader'].dataset)
        assert dataset.split == split and len(dataset) == len(classes)
        sample = dataset[0]
        assert sample['inputs'].shape == (3, 32, 32)


def test_normalisation_is_the_released_one():
    for name, mean, std in (
        ('cifar10', (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
        ('cifar100', (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)),
    ):
        preprocessor = Config.fromfile(CONFIGS[0].parent / f'pod_resnet50_{name}.py').data_preprocessor
        assert_close(torch.tensor(preprocessor.mean), 255 * torch.tensor(mean), rtol=1e-5, atol=0)
        assert_close(torch.tensor(preprocessor.std), 255 * torch.tensor(std), rtol=1e-5, atol=0)
        assert preprocessor.to_rgb is False

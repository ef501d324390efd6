"""Every shipped config has the settings that its name promises; test_rehearsal.py trains them."""

import functools

import pytest
import torch
from helpers import ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.testing import assert_close

from mmpod.models import (
    AMSoftmaxLoss,
    ASoftmaxLoss,
    CenterLoss,
    LearnedPrototypeHead,
    LSoftmaxLoss,
    NormAdaptivePODLoss,
    PEDCCHead,
    PEDCCLoss,
    PODLoss,
)

CONFIGS = [path for folder in ('configs', 'configs/small') for path in sorted((ROOT / folder).glob('*.py'))]
# (epochs, milestones, total batch, weight decay)
PAPER, SMALL = (100, (30, 60, 90), 128, 5e-4), (15, (9, 13), 64, 5e-4)
IMAGENET = (100, (30, 60, 90), 96, 1e-4)
RELEASED = (100, (30, 60, 90), 200, 1e-4)
# setting: (classes, feature dimension of Table II, image size, channels of the pooled features, schedule)
SETTINGS = {
    'resnet50_cifar10': (10, 256, 32, 2048, PAPER),
    'resnet50_cifar100': (100, 512, 32, 2048, PAPER),
    'resnet50_facescrub': (100, 512, 64, 2048, PAPER),
    'resnet50_tinyimagenet': (200, 512, 64, 2048, PAPER),
    'resnet50_imagenet30': (30, 256, 224, 2048, IMAGENET),
    'resnet50_imagenet100': (100, 512, 224, 2048, IMAGENET),
    'resnet50_imagenet200': (200, 512, 224, 2048, IMAGENET),
    'resnet50_imagenet500': (500, 1024, 224, 2048, IMAGENET),
    'resnet50_imagenet': (1000, 2048, 224, 2048, IMAGENET),
    'cifar10_10k': (10, 256, 32, 64, SMALL),
    'tiny20': (20, 256, 64, 64, SMALL),
    'digits': (10, 256, 8, 64, SMALL),
}
TABLE_I = {f'pod dim{dim}': dim for dim in (9, 32, 64, 128, 512, 1024)}
# With warm-up and cosine schedule: (learning rate, loss weight, weight decay).
WARMED_UP = {
    'softmax warmup': (0.1, 1, 1e-3),
    'pod warmup': (0.1, 2, 1e-3),
    'pod vicreg_bn': (0.1, 2, 2e-3),
    'pod bn': (0.2, 2, 5e-4),
}
POD = (PODLoss, dict(sc_weight=1.0, power=2, decorrelation='sc'))
VICREG = (PODLoss, dict(sc_weight=256.0, power=2, decorrelation='vicreg'))
# Loss, or loss and variant after a space: (class of the loss, what it is set to).
LOSSES = {
    'softmax': (CrossEntropyLoss, {}),
    'softmax warmup': (CrossEntropyLoss, {}),
    'cot': (CrossEntropyLoss, {}),
    **{name: POD for name in ('pod', 'gda', 'pod warmup', 'pod bn', *TABLE_I)},
    'pod vicreg': VICREG,
    'pod vicreg_bn': VICREG,
    'pod released': (PODLoss, dict(sc_weight=1 / 255, power=2)),
    'pod barlow': (PODLoss, dict(sc_weight=1e-3, power=2, decorrelation='barlow')),
    'pod normadaptive': (NormAdaptivePODLoss, dict(sc_weight=1.0, power=2, rate=0.01)),
    'cosine': (PODLoss, dict(sc_weight=0.0, power=2)),
    'pedccmse': (PODLoss, dict(sc_weight=0.0, power=1)),
    'pedccloss': (PEDCCLoss, dict(scale=10.0, margin=0.5, mse_weight=1.0, root=1.0)),
    'amsoftmax': (AMSoftmaxLoss, dict(scale=5.0, margin=0.25)),
    'amsoftmax s30': (AMSoftmaxLoss, dict(scale=30.0, margin=0.35)),
    'lsoftmax': (LSoftmaxLoss, dict(margin=2, base=1000.0, power=45.0, lambda_min=0.0)),
    'asoftmax': (ASoftmaxLoss, dict(margin=4, base=1000.0, power=1.0, lambda_min=5.0)),
    'center': (CenterLoss, dict(center_weight=0.003, center_rate=0.5)),
}
PAPER_LOSSES = LOSSES.keys() - {'gda', *WARMED_UP}
SMALL_LOSSES = LOSSES.keys() - {'amsoftmax s30', 'pod released', *TABLE_I}
TABLE_III = {'softmax', 'amsoftmax', 'amsoftmax s30', 'cot', 'pedccloss', 'cosine', 'pod'}
SHIPPED = {
    'resnet50_cifar10': PAPER_LOSSES | {'gda'},
    'resnet50_tinyimagenet': {'softmax', 'cosine', 'pod', 'gda'},
    **{f'resnet50_imagenet{k}': {'softmax', 'pod'} for k in (30, 100, 200, 500, '')},
    'resnet50_cifar100': TABLE_III | {'lsoftmax', 'asoftmax', 'center', 'gda'},
    'resnet50_facescrub': TABLE_III,
    'cifar10_10k': SMALL_LOSSES,
    'tiny20': SMALL_LOSSES,
    'digits': {'pod', 'pod bn', 'softmax', 'gda'},
}
# A first convolution of 3 x 3 without max-pooling, with it, or the original one.
BACKBONES = {8: 'ResNet_CIFAR', 32: 'ResNet_CIFAR', 64: 'ResNetSmallImage', 224: 'ResNet'}
# Lambda of L-Softmax falls over the same part of the training: 15 epochs of 157 batches or 100 of 391.
GAMMA = {('lsoftmax', PAPER): 1e-5, ('asoftmax', PAPER): 0.12, ('lsoftmax', SMALL): 1.7e-4, ('asoftmax', SMALL): 0.12}


load = functools.lru_cache(Config.fromfile)


def name_of(loss, setting):
    """<loss>[_<backbone>]_<dataset>[_<variant>]"""
    stem, _, variant = loss.partition(' ')
    return f'{stem}_{setting}' + (f'_{variant}' if variant else '')


NAMES = {name_of(loss, setting): (loss, setting) for setting, losses in SHIPPED.items() for loss in losses}


def test_every_config_is_listed_here():
    assert {path.stem for path in CONFIGS} == set(NAMES) and len(CONFIGS) == len(NAMES)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_config_has_the_settings_of_its_name(path):
    cfg = load(path)
    loss, setting = NAMES[path.stem]
    stem = loss.split()[0]
    name = path.relative_to(ROOT)
    tool, arguments = ('test', f'{name} CHECKPOINT') if stem == 'gda' else ('train', name)
    assert path.read_text().startswith('"""')
    assert f'python tools/{tool}.py {arguments}\n' in path.read_text()
    num_classes, feat_dim, size, channels, schedule = SETTINGS[setting]
    schedule = RELEASED if loss == 'pod released' else schedule
    epochs, milestones, batch, weight_decay = schedule
    assert cfg.train_cfg.max_epochs == epochs
    warmed_up = {} if setting == 'digits' else WARMED_UP
    if loss in warmed_up:
        warm_up, annealing = cfg.param_scheduler
        assert (warm_up.type, warm_up.end, annealing.type) == ('LinearLR', 1, 'CosineAnnealingLR')
        assert annealing.begin == 1 and annealing.end == epochs == annealing.begin + annealing.T_max
    else:
        assert tuple(cfg.param_scheduler.milestones) == milestones and cfg.param_scheduler.gamma == 0.1
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    optimizer = cfg.optim_wrapper.optimizer
    rate, loss_weight, weight_decay = warmed_up.get(loss, (0.1, 1, weight_decay))
    assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (
        'SGD',
        rate,
        0.9,
        weight_decay,
    )
    assert cfg.data_preprocessor.num_classes == num_classes
    if 'cifar' in setting:
        assert cfg.val_dataloader.dataset.split == cfg.test_dataloader.dataset.split == 'test'

    init_default_scope('mmpretrain')
    head = MODELS.build(cfg.model.head)
    assert (head.num_classes, head.in_channels) == (num_classes, channels)
    kind, expected = LOSSES[loss]
    assert type(head.loss_module) is kind
    assert {name: getattr(head.loss_module, name) for name in expected} == expected
    assert getattr(head.loss_module, 'loss_weight', 1) == loss_weight
    assert getattr(head.loss_module, 'gamma', None) == GAMMA.get((stem, schedule))
    assert cfg.model.type == {'cot': 'mmpod.COTClassifier', 'gda': 'mmpod.GDAClassifier'}.get(stem, 'ImageClassifier')
    if stem != 'gda':  # which says how both of its decisions are judged
        metrics = [metric.type for metric in as_list(cfg.test_evaluator)]
        assert metrics == ['Accuracy'] + ['mmpod.FeatureSpectrum'] * ('digits' not in setting)
        assert cfg.default_hooks.features.type == 'mmpod.FeaturesHook' and cfg.val_evaluator.type == 'Accuracy'
    assert cfg.model.backbone.type.rpartition('.')[2] == BACKBONES[size]
    if isinstance(head, PEDCCHead):
        assert head.feat_dim == TABLE_I.get(loss, feat_dim)
        assert isinstance(head.norm, torch.nn.BatchNorm1d) == loss.endswith('bn')
    elif isinstance(head, LearnedPrototypeHead):
        assert head.similarity == ('dot' if stem in ('lsoftmax', 'center') else 'cosine')
    samples = [DataSample().set_gt_label(label) for label in range(2)]
    losses = head.loss((torch.rand(2, channels),), samples)
    assert torch.isfinite(sum(losses.values()))


def as_list(item):
    return item if isinstance(item, list) else [item]


def test_norm_adaptive_configs_bring_the_hook():
    for path in CONFIGS:
        hooks = [hook.type for hook in load(path).get('custom_hooks') or []]
        assert ('mmpod.NormAdaptiveHook' in hooks) == ('normadaptive' in path.stem)


def test_stem_for_64_pixels():
    """Section IV: a first convolution of 3 x 3 with stride 1; the max-pooling stays."""
    backbone = MODELS.build(dict(type='mmpod.ResNetSmallImage', depth=18))
    assert backbone.conv1.kernel_size == (3, 3) and backbone.conv1.stride == (1, 1) and backbone.maxpool.stride == 2
    assert backbone(torch.randn(1, 3, 64, 64))[-1].shape == (1, 512, 4, 4)
    with pytest.raises(ValueError, match='deep_stem'):
        MODELS.build(dict(type='mmpod.ResNetSmallImage', depth=18, deep_stem=True))


def test_normalisation_is_the_released_one():
    for name, mean, std in (
        ('cifar10', (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
        ('cifar100', (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)),
        ('facescrub', (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)),
        ('tinyimagenet', (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)),
        ('imagenet', (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # mmpretrain's own
        ('imagenet500', (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ):
        preprocessor = Config.fromfile(CONFIGS[0].parent / f'pod_resnet50_{name}.py').data_preprocessor
        assert_close(torch.tensor(preprocessor.mean), 255 * torch.tensor(mean), rtol=1e-5, atol=0)
        assert_close(torch.tensor(preprocessor.std), 255 * torch.tensor(std), rtol=1e-5, atol=0)
        assert preprocessor.to_rgb  # blue comes first


def test_no_config_normalises_on_its_own():
    """So that the bases stand for all."""
    for path in CONFIGS:
        assert not any(word in path.read_text() for word in ('to_rgb', 'mean=', 'std=')), path

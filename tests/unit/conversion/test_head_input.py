"""What reaches the head of networks that people write: each stand-in is converted and trains for one step."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.models import BaseClassifier, ClsDataPreprocessor, ImageClassifier
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import DATASETS, MODELS
from mmpretrain.structures import DataSample
from one_batch import build, losses_of
from torch import nn
from torch.utils.data import Dataset

from mmpod.conversion.convert import plan_conversion
from mmpod.conversion.head_input import head_input
from mmpod.conversion.trial_batches import image_sizes


@MODELS.register_module()
class TinyNet(nn.Module):
    """A convolution and a mean: 64 numbers per image."""

    def __init__(self, in_channels=3, width=64):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3)

    def forward(self, images):
        return (self.stem(images).mean(dim=(2, 3)),)


@MODELS.register_module()
class MapNet(TinyNet):
    def forward(self, images):
        return (self.stem(images),)


@MODELS.register_module()
class SelfStartingNet(TinyNet):
    def __init__(self, init_cfg=None):
        super().__init__()
        nn.init.constant_(self.stem.bias, init_cfg['value'])


@MODELS.register_module()
class PairNet(TinyNet):
    def forward(self, pair):
        images, mask = pair
        return super().forward(images * mask)


@MODELS.register_module()
class NumpyNet(TinyNet):
    """As clip models that go by the numbers of their input: it does not run on the meta device."""

    def forward(self, images):
        assert np.isfinite(images.numpy()).all()
        return super().forward(images)


@MODELS.register_module()
class PairPreprocessor(ClsDataPreprocessor):
    def forward(self, data, training=False):
        data = super().forward(data, training)
        return dict(data, inputs=(data['inputs'], torch.ones_like(data['inputs'][:, :1])))


@MODELS.register_module()
class AuxiliaryClassifier(ImageClassifier):
    def __init__(self, head, **kwargs):
        super().__init__(head=head, **kwargs)
        self.auxiliary = nn.Linear(head['in_channels'], 2)


@MODELS.register_module()
class JoiningClassifier(ImageClassifier):
    """A second feature joined in `forward`: 64 numbers leave the neck, 80 reach the head."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.second = nn.Conv2d(3, 16, 3)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        second = self.second(inputs).mean(dim=(2, 3))
        feats = (torch.cat([self.extract_feat(inputs)[-1], second], dim=1),)
        return self.head(feats) if mode == 'tensor' else getattr(self.head, mode)(feats, data_samples)


@MODELS.register_module()
class OwnClassifier(BaseClassifier):
    def __init__(self, encoder, head, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        self.encoder, self.head = MODELS.build(encoder), MODELS.build(head)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        feats = self.encoder(inputs)
        return self.head(feats) if mode == 'tensor' else getattr(self.head, mode)(feats, data_samples)


@MODELS.register_module()
class OwnLossHead(LinearClsHead):
    def _get_loss(self, cls_score, data_samples, **kwargs):
        return dict(loss=cls_score[0].sum(), loss_extra=cls_score.square().mean())


@DATASETS.register_module()
class BandImages(Dataset):
    """Images of 5 bands, as nothing in the config says."""

    def __init__(self, size=4):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return dict(inputs=torch.zeros(5, 8, 8), data_samples=DataSample().set_gt_label(0))


def config(backbone=None, head=None, preprocessor=None, **model):
    head = dict(dict(type='LinearClsHead', num_classes=4, in_channels=64), **(head or {}))
    preprocessor = dict(dict(type='ClsDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3), **(preprocessor or {}))
    backbone = dict(dict(type='TinyNet'), **(backbone or {}))
    base = dict(type='ImageClassifier', backbone=backbone, head=head, data_preprocessor=preprocessor)
    return Config(dict(model=dict(base, **model)))


def check(cfg, expected=64, channels=3, said=None):
    plan = plan_conversion(cfg)
    assert plan.changes['model']['head']['in_channels'] == expected
    text = ' '.join(plan.notes)
    assert (said or '') in text and ('in_channels' in text) == ('in_channels' in (said or ''))
    model = build(plan.apply(cfg))
    sum(losses_of(model, 8, channels)[0].values()).backward()
    assert model.head.fc.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    'model, expected',
    [
        (dict(backbone=dict(type='SelfStartingNet', init_cfg=dict(value=0.5))), {}),
        (dict(type='AuxiliaryClassifier'), {}),
        (dict(backbone=dict(type='PairNet'), preprocessor=dict(type='PairPreprocessor')), {}),
        (dict(backbone=dict(type='NumpyNet')), {}),
        (dict(backbone=dict(type='MapNet')), {}),
        (dict(preprocessor=dict(mean=[122.9], std=[60.0])), {}),
        (dict(type='JoiningClassifier', head=dict(in_channels=80)), dict(expected=80)),
        (dict(head=dict(type='OwnLossHead')), dict(said='`_get_loss` of OwnLossHead is dropped')),
        (
            dict(head=dict(in_channels=63)),
            dict(said='The sources of in_channels differ: 64 (network output), 63 (old head)'),
        ),
    ],
    ids=[
        'backbone initialises itself',
        'auxiliary head',
        'preprocessor gives a tuple',
        'network needs numbers',
        'feature maps',
        'channels of the first convolution',
        'feature joined in forward',
        'own loss of the head',
        'old head differs from the network',
    ],
)
def test_what_reaches_the_head_is_found_by_running_the_network(model, expected):
    check(config(**model), **expected)


@pytest.mark.parametrize('mean', [[122.9], [127.5] * 3])
@pytest.mark.parametrize('bands', [3, 1, 13])
def test_channels_are_those_of_the_network(mean, bands):
    mean = mean if bands == 3 or len(mean) == 1 else [0.0] * bands
    check(config(dict(in_channels=bands), preprocessor=dict(mean=mean, std=[60.0] * len(mean))), channels=bands)


def test_one_number_as_the_mean_of_all_channels():
    cfg = config(dict(in_channels=13), preprocessor=dict(mean=127.5, std=60.0))
    assert head_input(cfg, cfg.model) == (2, 64)


def test_a_base_classifier_of_its_own_converts():
    cfg = config(type='OwnClassifier', encoder=dict(type='TinyNet'))
    del cfg.model.backbone
    check(cfg)


def test_feature_maps_that_reach_the_head_of_an_own_classifier_are_refused():
    cfg = config(type='OwnClassifier', encoder=dict(type='MapNet'))
    del cfg.model.backbone
    with pytest.raises(ValueError, match=r'got \(2, 64, \d+, \d+\), and GlobalAveragePooling .* own `forward` decides'):
        plan_conversion(cfg)


def test_given_channels_override_those_of_the_network():
    plan = plan_conversion(config(head=dict(in_channels=63)), in_channels=65)
    assert plan.changes['model']['head']['in_channels'] == 65
    assert '65 (given), 64 (network output)' in ' '.join(plan.notes)


def test_a_network_that_does_not_run_here_falls_back_on_the_old_head():
    cfg = config(dict(type='TinyNet', width='wide'))
    plan = plan_conversion(cfg)
    assert plan.changes['model']['head']['in_channels'] == 64
    assert 'in_channels=64 has not been checked, because the network did not run' in plan.notes[-1]
    del cfg.model.head.in_channels
    with pytest.raises(ValueError, match='old head does not name it. Pass .* --in-channels C'):
        plan_conversion(cfg)
    assert plan_conversion(cfg, in_channels=7).changes['model']['head']['in_channels'] == 7
    with pytest.raises(ValueError, match='`in_channels` to be an integer of at least 1, but got 0'):
        plan_conversion(cfg, in_channels=0)


def test_the_files_of_the_test_set_are_used_where_they_are():
    cfg = config(dict(type='TinyNet', in_channels=5), preprocessor=dict(mean=None, std=None))
    cfg.test_dataloader = dict(dataset=dict(type='BandImages'))
    assert head_input(cfg, cfg.model) == (2, 64)


def test_nothing_is_downloaded(monkeypatch):
    cfg = config()
    cfg.test_dataloader = dict(
        batch_size=64,
        dataset=dict(type='CIFAR10', data_root='/nowhere', split='test'),
        sampler=dict(type='DefaultSampler'),
    )
    monkeypatch.setattr('urllib.request.urlopen', lambda *_, **__: pytest.fail('a download'))
    before = copy.deepcopy(cfg.to_dict())
    assert head_input(cfg, cfg.model) == (2, 64)
    assert cfg.to_dict() == before


def pipeline_of(*steps):
    return [dict(type='LoadImageFromFile'), *steps, dict(type='PackInputs')]


def test_image_sizes_follow_the_pipelines():
    """MMCV's transforms take width and height, mmpretrain's own height and width; the result is height and width."""
    cfg = config(backbone=dict(img_size=48))
    crop = dict(type='mmpretrain.RandomResizedCrop', scale=(96, 80))
    repeated = dict(type='RepeatDataset', times=2, dataset=dict(type='ImageNet', pipeline=pipeline_of(crop)))
    cfg.train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[repeated]))
    cfg.val_dataloader = dict(dataset=dict(type='ImageNet', pipeline=pipeline_of(dict(type='ResizeEdge', scale=256))))
    resize = dict(type='Resize', scale=(64, 32))
    cfg.test_dataloader = dict(dataset=dict(type='ImageNet', pipeline=pipeline_of(resize)))
    assert image_sizes(cfg) == [(32, 64), (96, 80), (48, 48), (224, 224)]
    cfg.test_dataloader.dataset.pipeline = pipeline_of(dict(type='CenterCrop', crop_size=(40, 24)))
    cfg.train_dataloader = dict(dataset=dict(type='UnknownDataset', pipeline=[dict(type='PackInputs')]))
    assert image_sizes(cfg) == [(24, 40), (48, 48), (224, 224)]

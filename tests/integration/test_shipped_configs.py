"""A dozen of mmpretrain's configs of different kinds, converted and trained for one step."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.utils import get_installed_path
from one_batch import build, losses_of

import mmpod

# Narrower and shallower than shipped, where that is one setting; the benchmark runs them as they are.
DOZEN = [
    ('resnet/resnet50_8xb256-rsb-a3-100e_in1k.py', dict(depth=18), 64),
    ('conformer/conformer-tiny-p16_8xb128_in1k.py', {}, 224),
    ('deit/deit-tiny-distilled_4xb256_in1k.py', dict(arch=None), 64),
    ('vision_transformer/vit-base-p16_32xb128-mae_in1k.py', dict(arch=None), 64),
    ('levit/levit-128s_8xb256_in1k.py', {}, 224),
    ('efficientformer/efficientformer-l1_8xb128_in1k.py', {}, 224),
    ('vgg/vgg11_8xb32_in1k.py', {}, 32),
    ('lenet/lenet5_mnist.py', {}, 32),
    ('mobilenet_v3/mobilenet-v3-small_8xb16_cifar10.py', {}, 32),
    ('vig/vig-tiny_8xb128_in1k.py', {}, 224),
    ('resnet/resnet50_8xb16-mixup_cifar10.py', dict(depth=18), 32),
    ('shufflenet_v2/shufflenet-v2-1x_16xb64_in1k.py', {}, 64),
]
SMALL_VIT = dict(embed_dims=48, num_layers=2, num_heads=3, feedforward_channels=96)


@pytest.mark.parametrize('name, backbone, size', DOZEN, ids=[name.split('/')[1][:-3] for name, _, _ in DOZEN])
def test_converts_trains_and_predicts(name, backbone, size):
    cfg = Config.fromfile(f'{get_installed_path("mmpretrain")}/.mim/configs/{name}')
    cfg.model.backbone.update({key: SMALL_VIT if value is None else value for key, value in backbone.items()})
    before = copy.deepcopy(cfg.to_dict())
    converted = mmpod.convert(cfg)
    assert cfg.to_dict() == before
    assert converted.model.backbone.get('init_cfg') == cfg.model.backbone.get('init_cfg')
    converted.model.backbone.pop('init_cfg', None)  # weights from elsewhere
    model = build(converted)
    channels = len(cfg.data_preprocessor.mean)
    losses, _ = losses_of(model, size, channels)
    assert set(losses) == {'loss_cosine', 'loss_sc'}
    sum(losses.values()).backward()
    silent = {n for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert not silent  # DDP would stop
    with torch.no_grad():
        scores = model.eval()(torch.rand(2, channels, size, size))
        sample = model.predict(torch.rand(2, channels, size, size))[0]
    assert scores.shape == (2, converted.model.head.num_classes)
    assert sample.pred_label.item() == sample.pred_score.argmax().item()

"""Converting: what is replaced, what stays, what is refused."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.utils import get_installed_path
from one_batch import build, losses_of
from torch.testing import assert_close

import mmpod
from mmpod.conversion.convert import plan_conversion
from mmpod.conversion.head_input import head_input
from mmpod.conversion.new_head import default_feat_dim

SHIPPED = f'{get_installed_path("mmpretrain")}/.mim/configs'
RESNET = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=64, topk=(1, 5)),
)
MIXING = dict(augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)])


def config(**head):
    """A small ResNet whose head has other settings."""
    model = copy.deepcopy(RESNET)
    model['head'].update(head)
    return Config(dict(model=model))


SMALL_VIT = dict(embed_dims=48, num_layers=2, num_heads=3, feedforward_channels=96)


def test_only_the_head_changes():
    cfg = config(topk=(1, 5), cal_acc=True, init_cfg=dict(type='Normal', layer='Linear', std=0.01))
    cfg.merge_from_dict(dict(load_from='resnet.pth', custom_hooks=[dict(type='EMAHook')], optim_wrapper=dict(a=1)))
    converted = mmpod.convert(cfg, feat_dim=16, sc_weight=0.5, seed=3)
    assert converted.model.pop('head') == dict(
        type='mmpod.PEDCCHead',
        num_classes=10,
        in_channels=64,
        feat_dim=16,
        seed=3,
        norm_cfg=dict(type='BN1d', affine=False),
        loss=dict(type='mmpod.PODLoss', sc_weight=0.5),
        topk=(1, 5),
        cal_acc=True,
    )
    cfg.model.pop('head')
    assert converted.to_dict() == cfg.to_dict()


@pytest.mark.parametrize('topk, expected', [((1, 5), (1,)), (1, (1,)), ((5,), (1,))])
def test_topk_beyond_the_classes_goes(topk, expected):
    assert mmpod.convert(config(num_classes=3, topk=topk)).model.head.topk == expected


def test_mixing_and_smoothing_together_train():
    cfg = config(loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1), cal_acc=True)
    cfg.model.train_cfg = MIXING
    converted = mmpod.convert(cfg)
    assert converted.model.train_cfg == cfg.model.train_cfg
    assert 'cal_acc' not in converted.model.head  # mixed labels have no accuracy
    losses, samples = losses_of(build(converted), samples=4)
    assert samples[0].gt_score.shape == (10,)
    sum(losses.values()).backward()


def test_joined_features_are_those_of_both_branches():
    neck = mmpod.models.ConcatFeatures()
    first, second = torch.randn(2, 3), torch.randn(2, 5)
    (joined,) = neck((torch.randn(2, 7), [first, second]))
    assert_close(joined, torch.cat([first, second], dim=1))
    with pytest.raises(ValueError, match=r'list of vectors .* got one tensor.* Leave ConcatFeatures out'):
        neck((first,))


def test_features_come_out_of_a_converted_pair_of_tokens():
    cfg = Config.fromfile(f'{SHIPPED}/deit/deit-tiny-distilled_4xb256_in1k.py')
    cfg.model.backbone.arch = SMALL_VIT
    model = build(mmpod.convert(cfg)).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        tokens = model.extract_feat(images, stage='backbone')[-1]
        pooled = mmpod.models.head_features.stage_features(model.head, model.extract_feat(images), 'pooled')
        assert_close(pooled, torch.cat(tuple(tokens), dim=1))
        assert model.extract_feat(images, stage='pre_logits').shape == (2, 2048)


def test_feature_maps_are_pooled_after_the_neck_that_is_there():
    cfg = config()
    cfg.model.neck = dict(type='HRFuseScales', in_channels=(128, 256, 512, 1024))
    cfg.model.backbone = dict(type='ResNet', depth=50, base_channels=32, stem_channels=8, out_indices=(0, 1, 2, 3))
    converted = mmpod.convert(cfg)
    assert [neck.type for neck in converted.model.neck] == ['HRFuseScales', 'GlobalAveragePooling']
    sum(losses_of(build(converted))[0].values()).backward()


def test_dimensions_by_default():
    """Table II of the paper but for K = 100; beyond, the least that a simplex needs."""
    assert [default_feat_dim(k) for k in (10, 30, 200, 500, 1000)] == [256, 256, 512, 1024, 2048]
    assert [default_feat_dim(k) for k in (2, 128, 129, 2049, 2050)] == [256, 256, 512, 2048, 2049]


def test_head_input_is_read_without_weights_or_downloads():
    cfg = config()
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='/nowhere/resnet.pth')
    cfg.model.head.in_channels = 1  # a mistake in the old head is not copied
    assert head_input(cfg, cfg.model) == (2, 64)
    assert mmpod.convert(cfg).model.head.in_channels == 64
    weights = cfg.model.backbone.init_cfg
    module = dict(
        type='VisionTransformer', arch=SMALL_VIT, img_size=32, init_cfg=weights
    )  # LoRA loads while it is built
    cfg.model.backbone = dict(type='LoRAModel', module=module, alpha=1, rank=2, targets=[dict(type='qkv')])
    cfg.model.neck = None
    assert head_input(cfg, cfg.model) == (2, 48)


def test_what_does_not_come_along_is_said():
    loss = dict(type='mmpretrain.CrossEntropyLoss', pos_weight=[1.0] * 10, loss_weight=0.5)
    cfg = config(type='StackedLinearClsHead', mid_channels=[32], loss=loss)
    cfg.custom_hooks = [dict(type='mmpretrain.SetAdaptiveMarginsHook'), dict(type='EMAHook')]
    plan = plan_conversion(cfg)
    text = '\n'.join(plan.notes)
    for part in ('mid_channels=[32] of StackedLinearClsHead', 'pos_weight=', 'SetAdaptiveMarginsHook'):
        assert part in text
    converted = plan.apply(cfg)
    assert converted.custom_hooks == [dict(type='EMAHook')]
    assert converted.model.head.loss == dict(type='mmpod.PODLoss', sc_weight=1.0, loss_weight=0.5)


@pytest.mark.parametrize(
    'name, reason',
    [
        ('csra/resnet101-csra_1xb16_voc07-448px.py', 'got CSRAClsHead: it is for several labels per image'),
        ('arcface/resnet50-arcface_8xb32_inshop.py', 'retrieves images .* convert the classifier'),
        ('blip/blip-base_8xb32_caption.py', 'another task, such as vision and language'),
        ('mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k.py', 'pre-trained without labels; convert the config that'),
        ('dinov2/vit-small-p14_dinov2-pre_headless.py', 'to have a head, but it has none'),
    ],
)
def test_other_tasks_are_refused(name, reason):
    with pytest.raises(ValueError, match=reason):
        mmpod.convert(Config.fromfile(f'{SHIPPED}/{name}'))


@pytest.mark.parametrize(
    'head, reason',
    [
        (dict(type='MultiTaskHead'), 'several tasks'),
        (dict(type='MultiLabelLinearClsHead', loss=dict(use_sigmoid=True)), 'several labels per image'),
        (dict(type='mmpod.PEDCCHead'), 'already been converted'),
        (dict(type='NoSuchHead'), 'got NoSuchHead: it is not registered'),
        (dict(loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='multi_label')), "mode='multi_label'"),
        (dict(num_classes=1), '`num_classes` to be an integer of at least 2, but got 1'),
    ],
)
def test_other_heads_are_refused(head, reason):
    with pytest.raises(ValueError, match=reason):
        mmpod.convert(config(**head))


@pytest.mark.parametrize(
    'arguments, error, reason',
    [
        (dict(feat_dim=8), ValueError, 'at least num_classes - 1 = 9, but got 8'),
        (dict(feat_dim=0), ValueError, '`feat_dim` to be an integer of at least 1'),
        (dict(feat_dim=9.0), TypeError, '`feat_dim` to be an integer'),
        (dict(sc_weight=-1), ValueError, '`sc_weight`'),
        (dict(seed=-1), ValueError, '`seed`'),
        (dict(seed=2**32), ValueError, '`seed` to be an integer from 0 to 4294967295, but got 4294967296'),
        (dict(feat_dim=1, centroids='spread'), ValueError, '`feat_dim` to be an integer of at least 2, but got 1'),
        (dict(centroids='even'), ValueError, "`centroids` to be one of 'pedcc', 'spread'"),
    ],
)
def test_bad_arguments(arguments, error, reason):
    with pytest.raises(error, match=reason):
        mmpod.convert(config(), **arguments)


RAW_VIT = dict(type='VisionTransformer', arch='deit-tiny', img_size=32, out_type='raw')
SWITCH = dict(type='SwitchRecipeHook', schedule=[dict(action_epoch=1, loss=dict(type='A'))])


@pytest.mark.parametrize(
    'change, reason',
    [
        (lambda cfg: cfg.pop('model'), 'to have a `model`'),
        (lambda cfg: cfg.model.pop('backbone'), 'to have a backbone, but got None'),
        (lambda cfg: cfg.model.update(type='mmpod.COTClassifier'), 'with one loss, but got COTClassifier'),
        (lambda cfg: cfg.update(custom_hooks=[SWITCH]), 'SwitchRecipeHook replaces it'),
        (
            lambda cfg: setattr(cfg, 'model', dict(RESNET, backbone=RAW_VIT, neck=None)),
            r"got \(2, 5, 192\).*out_type='cls_token'",
        ),
    ],
    ids=['no model', 'no backbone', 'two objectives', 'two losses', 'several tokens'],
)
def test_bad_models(change, reason):
    cfg = config()
    change(cfg)
    with pytest.raises(ValueError, match=reason):
        mmpod.convert(cfg)


def test_only_a_config_is_converted():
    with pytest.raises(TypeError, match='to be a Config, but got dict'):
        mmpod.convert(dict(model=RESNET))


def test_the_smallest_dimension_builds():
    assert build(mmpod.convert(config(num_classes=2, topk=1), feat_dim=1, centroids='spread')).head.feat_dim == 1


def test_more_classes_than_dimensions_when_spread():
    assert mmpod.convert(config(), feat_dim=5, centroids='spread').model.head.centroids == 'spread'


LAZY = """
from mmengine.config import read_base
from mmpretrain.models import GlobalAveragePooling, ImageClassifier, LabelSmoothLoss, LinearClsHead, ResNet
with read_base():
    from .empty import *
loss = dict(type=LabelSmoothLoss, label_smooth_val=0.1)
model = dict(
    type=ImageClassifier,
    backbone=dict(type=ResNet, depth=18, base_channels=8, stem_channels=8),
    neck=dict(type=GlobalAveragePooling),
    head=dict(type=LinearClsHead, num_classes=10, in_channels=64, loss=loss))
"""


def test_pure_python_configs_convert_in_python(tmp_path):
    (tmp_path / 'empty.py').write_text('')
    (tmp_path / 'lazy.py').write_text(LAZY)
    mmpod.convert(Config.fromfile(tmp_path / 'lazy.py')).dump(tmp_path / 'new.py')
    model = build(Config.fromfile(tmp_path / 'new.py'))
    assert model.head.feat_dim == 256 and model.head.loss_module.label_smooth_val == 0.1


@pytest.mark.parametrize('loss', ['pod', 'cot', 'softmax'])
def test_a_converted_config_does_not_train_into_the_folder_of_the_original(loss):
    cfg = config()
    assert 'work_dir' not in plan_conversion(cfg, loss=loss).changes
    cfg.work_dir = 'runs/mine'
    plan = plan_conversion(cfg, loss=loss)
    assert plan.apply(cfg).work_dir == f'runs/mine_{loss}' and cfg.work_dir == 'runs/mine'
    assert any(f"work_dir becomes 'runs/mine_{loss}'" in note for note in plan.notes)


@pytest.mark.parametrize('loss', ['pod', 'amsoftmax', 'center'])
def test_settings_of_layers_that_go_are_named(loss):
    cfg = config()
    keys = ['backbone', 'head', 'head.fc', 'head.layers.head', 'head.bn']
    cfg.optim_wrapper = dict(paramwise_cfg=dict(custom_keys={key: dict(lr_mult=0.1) for key in keys}))
    notes = [note for note in plan_conversion(cfg, loss=loss).notes if 'custom_keys' in note]
    assert [[key for key in keys if repr(key) in note] for note in notes] == [['head.layers.head'], ['head.bn']]
    assert all('head.fc.weight' in note for note in notes)


@pytest.mark.parametrize('augments', [MIXING, None])
def test_mixing_that_a_hook_starts_counts(augments):
    cfg = config(cal_acc=True)
    schedule = [dict(action_epoch=1, train_pipeline=[]), dict(action_epoch=2, batch_augments=augments)]
    profiler = dict(type='ProfilerHook', schedule=dict(wait=1, warmup=1, active=2))  # another kind of schedule
    cfg.custom_hooks = [profiler, dict(type='SwitchRecipeHook', schedule=schedule)]
    assert ('cal_acc' in mmpod.convert(cfg).model.head) == (augments is None)
    if augments is None:
        mmpod.convert(cfg, loss='amsoftmax')
    else:
        with pytest.raises(ValueError, match="one class per image for loss='amsoftmax'.*batch_augments"):
            mmpod.convert(cfg, loss='amsoftmax')

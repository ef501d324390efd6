"""The losses that a config can be converted to, and what they keep of the old one."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.models.losses import CrossEntropyLoss, LabelSmoothLoss
from mmpretrain.registry import MODELS
from one_batch import build, losses_of
from torch.testing import assert_close

import mmpod
from mmpod.conversion.convert import plan_gda
from mmpod.conversion.target_losses import CENTROID_LOSSES, LEARNED_LOSSES, LOSSES, ONE_CLASS_LOSSES, loss_config

CE = dict(type='CrossEntropyLoss')
# The new head, its loss, and what that is set to.
NEW = dict(
    pod=('PEDCCHead', 'PODLoss', dict(sc_weight=1.0, power=2)),
    cosine=('PEDCCHead', 'PODLoss', dict(sc_weight=0.0, power=2)),
    pedccmse=('PEDCCHead', 'PODLoss', dict(sc_weight=0.0, power=1)),
    pedccloss=('PEDCCHead', 'PEDCCLoss', dict(scale=10.0, margin=0.5, mse_weight=1.0, root=1.0)),
    amsoftmax=('LearnedPrototypeHead', 'AMSoftmaxLoss', dict(scale=30.0, margin=0.35)),
    asoftmax=('LearnedPrototypeHead', 'ASoftmaxLoss', dict(margin=4, lambda_min=5.0)),
    lsoftmax=('LearnedPrototypeHead', 'LSoftmaxLoss', dict(margin=2, lambda_min=0.0)),
    center=('LearnedPrototypeHead', 'CenterLoss', dict(center_weight=0.003, center_rate=0.5)),
    cot=('LinearClsHead', 'CrossEntropyLoss', {}),
    softmax=('LinearClsHead', 'CrossEntropyLoss', {}),
)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


def config(augments=None, loss=CE, to_onehot=False, **model):
    head = dict(type='LinearClsHead', num_classes=4, in_channels=8, loss=loss)
    base = dict(
        type='ImageClassifier',
        backbone=dict(type='ResNet', depth=18, base_channels=1, stem_channels=4),
        neck=dict(type='GlobalAveragePooling'),
        head=head,
        data_preprocessor=dict(type='ClsDataPreprocessor', num_classes=4, to_onehot=to_onehot),
        train_cfg=augments and dict(augments=augments),
    )
    return Config(dict(model=dict(base, **model)))


def train_loss(cfg):
    total = sum(losses_of(build(cfg), 32, samples=4)[0].values())
    total.backward()
    return total


@pytest.mark.parametrize('loss', LOSSES)
def test_every_loss_trains(loss):
    cfg = mmpod.convert(config(), loss=loss)
    assert train_loss(cfg).isfinite()
    head = MODELS.build(cfg.model.head)
    kind, loss_kind, expected = NEW[loss]
    assert (type(head).__name__, type(head.loss_module).__name__) == (kind, loss_kind)
    assert {name: getattr(head.loss_module, name) for name in expected} == expected


@pytest.mark.parametrize('loss', LOSSES)
def test_mixed_images_train_or_are_refused(loss):
    cfg = config(augments=dict(type='Mixup', alpha=0.8))
    if loss in ONE_CLASS_LOSSES:
        with pytest.raises(ValueError, match=f"one class per image for loss='{loss}'.*choose another loss"):
            mmpod.convert(cfg, loss=loss)
    else:
        assert train_loss(mmpod.convert(cfg, loss=loss)).isfinite()


@pytest.mark.parametrize('loss', LOSSES)
def test_one_hot_scores_train_as_labels_do(loss):
    if loss == 'cot':
        with pytest.raises(ValueError, match='no `to_onehot` in the data preprocessor'):
            mmpod.convert(config(to_onehot=True), loss=loss)
        return
    totals = []
    for to_onehot in (False, True):
        converted = mmpod.convert(config(to_onehot=to_onehot, loss=dict(CE, use_soft=to_onehot)), loss=loss)
        torch.manual_seed(0)  # after the conversion, which may draw random numbers, too
        totals.append(train_loss(converted))
    assert_close(*totals)


def test_settings_of_other_losses_are_refused():
    with pytest.raises(ValueError, match="no `feat_dim` for loss='center'.* got 16"):
        mmpod.convert(config(), loss='center', feat_dim=16)
    with pytest.raises(ValueError, match="`loss` to be one of 'pod'.*but got 'focal'"):
        mmpod.convert(config(), loss='focal')
    with pytest.raises(ValueError, match='no `optim_wrapper.constructor`'):
        cfg = config()
        cfg.optim_wrapper = dict(constructor='LearningRateDecayOptimWrapperConstructor')
        mmpod.convert(cfg, loss='cot')


@pytest.mark.parametrize('loss', CENTROID_LOSSES)
def test_the_recommended_norm_follows_the_projection_of_every_centroid_loss(loss):
    norm = MODELS.build(mmpod.convert(config(), loss=loss).model).head.norm
    assert isinstance(norm, torch.nn.BatchNorm1d) and not norm.affine
    assert 'norm_cfg' not in mmpod.convert(config(), loss=loss, norm=None).model.head  # as printed
    assert isinstance(MODELS.build(mmpod.convert(config(), loss=loss, norm='ln').model).head.norm, torch.nn.LayerNorm)


def test_gaussians_are_fitted_on_a_converted_config():
    cfg = mmpod.convert(config())
    cfg.custom_hooks = [dict(type='EMAHook')]
    gda = plan_gda(cfg).apply(cfg)
    assert [hook.type for hook in gda.custom_hooks] == ['EMAHook', 'mmpod.FitGDAHook']
    assert type(MODELS.build(gda.model)).__name__ == 'GDAClassifier' and gda.model.covariance == 'shared'
    assert plan_gda(cfg, 'class').apply(cfg).model.covariance == 'class'
    with pytest.raises(ValueError, match='ImageClassifier with a PEDCCHead for GDA'):
        plan_gda(config())


@pytest.mark.parametrize('loss', [*CENTROID_LOSSES, *LEARNED_LOSSES])
def test_class_weights_and_loss_weight_are_kept(loss):
    weights = [1, 2, 3, 4]
    kept, notes = loss_config(loss, dict(CE, class_weight=weights, loss_weight=0.5), 4)
    assert kept['class_weight'] == weights and kept['loss_weight'] == 0.5 and notes == []
    with pytest.raises(ValueError, match='to hold num_classes = 5 numbers, but got 4'):
        loss_config(loss, dict(CE, class_weight=weights), 5)


def test_a_focal_factor_becomes_the_exponent_of_the_cosine_term():
    assert loss_config('pod', dict(type='FocalLoss', gamma=1.5), 4)[0]['power'] == 3.5
    kept, notes = loss_config('pod', dict(type='mmpretrain.FocalLoss', alpha=0.25), 4)  # gamma is 2 by default
    assert kept['power'] == 4 and notes == [
        'FocalLoss is dropped.',
        'alpha=0.25 of FocalLoss is dropped: the new loss has no such setting.',
    ]
    assert loss_config('amsoftmax', dict(type='FocalLoss'), 4)[0]['focal_gamma'] == 2.0


def test_the_loss_over_the_classes_is_taken_from_a_list():
    losses = [dict(type='SeesawLoss', num_classes=4), dict(type=CrossEntropyLoss, loss_weight=0.5)]
    kept, notes = loss_config('pod', losses, 4)
    assert kept['loss_weight'] == 0.5 and notes == ['SeesawLoss is dropped: only one loss is kept.']


@pytest.mark.parametrize('kind', ['LabelSmoothLoss', 'mmpretrain.LabelSmoothLoss', LabelSmoothLoss])
def test_label_smoothing_by_any_name(kind):
    old = dict(type=kind, label_smooth_val=0.1)
    assert loss_config('pod', old, 4) == (dict(type='mmpod.PODLoss', sc_weight=1.0, label_smooth_val=0.1), [])
    assert 'label_smooth_val=0.1' in loss_config('center', old, 4)[1][0]


@pytest.mark.parametrize('mode', ['original', 'classy_vision'])
@pytest.mark.parametrize('mixed', [False, True])
def test_label_smoothing_is_that_of_the_original(mode, mixed):
    """The loss equals that of the weights which mmpretrain's own module makes."""
    old = dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode=mode, num_classes=10)
    loss = MODELS.build(loss_config('pod', old, 10)[0])
    plain = mmpod.models.PODLoss()
    features, centroids = torch.randn(6, 16), mmpod.functional.pedcc(10, 16).float()
    labels = torch.rand(6, 10).softmax(dim=1) if mixed else torch.arange(6)
    host = LabelSmoothLoss(0.1, num_classes=10, mode=mode)
    weights = host.smooth_label(host.generate_one_hot_like_label(labels.clone()))
    for name, term in loss(features, labels, centroids).items():
        assert_close(term, plain(features, weights, centroids)[name])
        assert not torch.allclose(term, plain(features, labels, centroids)[name], rtol=1e-3)


def test_another_reduction_than_the_mean_is_named():
    assert not loss_config('pod', dict(CE, reduction='mean'), 4)[1]
    assert 'mean over the images' in loss_config('pod', dict(CE, reduction='sum'), 4)[1][0]


@pytest.mark.parametrize('value, error', [(1.0, ValueError), (-0.1, ValueError), ('0.1', TypeError)])
def test_bad_smoothing(value, error):
    with pytest.raises(error, match='Expected `label_smooth_val` to be'):
        mmpod.models.PODLoss(label_smooth_val=value)

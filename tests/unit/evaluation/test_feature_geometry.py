"""FeatureGeometry batch by batch against its formulas over all features at once; two processes: test_gda_tools.py."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS

from mmpod.evaluation import FeatureGeometry, FeatureSpectrum
from mmpod.functional import neural_collapse, pedcc
from mmpod.functional.moments import class_moments
from mmpod.models.head_features import head_prototypes

AM = dict(type='mmpod.AMSoftmaxLoss')
PRETEND = SimpleNamespace(num_classes=4, prototypes=pedcc(4, 6).float())


def measured(features, labels, head=PRETEND, size=None, batch=7, **kwargs):
    metric = FeatureGeometry(**kwargs)
    metric.head = head
    for rows, targets in zip(features.split(batch), labels.split(batch)):
        metric.batch = rows
        metric.process(None, [dict(gt_label=label.reshape(1)) for label in targets])
    return metric.evaluate(len(features) if size is None else size)


@pytest.mark.parametrize('normalize', [True, False])
def test_batches_give_what_all_features_give(normalize):
    labels = torch.randint(4, (50,))
    features = PRETEND.prototypes[labels] * torch.rand(50, 1) + 0.3 * torch.randn(50, 6)
    metrics = measured(features, labels, normalize=normalize)
    cosines = torch.cosine_similarity(features[:, None], PRETEND.prototypes[None], dim=2)
    own = cosines[range(50), labels]
    foreign = torch.stack([row[torch.arange(4) != label].max() for row, label in zip(cosines, labels)])
    rows = features.double() / features.double().norm(dim=1, keepdim=True) if normalize else features.double()
    expected = neural_collapse(class_moments(rows, labels, 4, by_class=False), PRETEND.prototypes)
    expected.update(target_cosine=own.mean(), max_nontarget_cosine=foreign.mean())
    assert metrics == pytest.approx({f'geometry/{name}': value.item() for name, value in expected.items()}, rel=1e-6)
    assert not [name for name in metrics if 'loss' in name]  # those would be added to the objective


def test_the_prototypes_are_those_of_the_first_batch():
    """After the epoch EMAHook has put the other weights back."""
    labels = torch.arange(20) % 4
    features, head = torch.randn(20, 6), SimpleNamespace(num_classes=4, prototypes=PRETEND.prototypes.clone())
    metric = FeatureGeometry()
    metric.head, metric.batch = head, features
    metric.process(None, [dict(gt_label=label.reshape(1)) for label in labels])
    head.prototypes.neg_()
    assert metric.evaluate(20) == pytest.approx(measured(features, labels))


def test_perfect_collapse_and_a_fresh_start():
    metric = FeatureGeometry(prefix='g')
    metric.head = PRETEND
    for features in (torch.randn(8, 6), 5 * PRETEND.prototypes.repeat(2, 1)):
        metric.batch = features
        metric.process(None, [dict(gt_label=torch.tensor([i % 4])) for i in range(8)])
        result = metric.evaluate(8)
    assert result['g/target_cosine'] == pytest.approx(1) and result['g/max_nontarget_cosine'] == pytest.approx(-1 / 3)
    assert result['g/within_between'] < 1e-12 and result['g/effective_rank'] == pytest.approx(3)


def test_without_prototypes_what_needs_them_is_left_out():
    features, labels = torch.randn(20, 6), torch.arange(20) % 4
    needing = {'geometry/target_cosine', 'geometry/max_nontarget_cosine', 'geometry/nc3_self_duality'}
    with_all = measured(features, labels)
    for head, stage in ((SimpleNamespace(num_classes=4), 'pre_logits'), (PRETEND, 'pooled')):
        assert measured(features, labels, head, stage=stage).keys() == with_all.keys() - needing


@pytest.mark.parametrize(
    'head, weight',
    [
        (dict(type='mmpod.PEDCCHead', num_classes=4, in_channels=6, feat_dim=9), 'centroids'),
        (dict(type='mmpod.LearnedPrototypeHead', num_classes=4, in_channels=6, loss=AM), 'fc.weight'),
        (dict(type='mmpretrain.LinearClsHead', num_classes=4, in_channels=6), 'fc.weight'),
        (dict(type='mmpretrain.VisionTransformerClsHead', num_classes=4, in_channels=6), 'layers.head.weight'),
        (dict(type='mmpretrain.StackedLinearClsHead', num_classes=4, in_channels=6, mid_channels=[5]), None),
    ],
    ids=lambda value: value['type'] if isinstance(value, dict) else None,
)
def test_prototypes_of_each_head(head, weight):
    """What the class scores of a feature are made of: the head's last layer without its bias, or the centroids."""
    init_default_scope('mmpretrain')
    head = MODELS.build(head)
    prototypes = head_prototypes(head)
    if weight is None:
        assert prototypes is None
        return
    assert torch.equal(prototypes, head.state_dict()[weight]) and not prototypes.requires_grad
    features, labels = torch.randn(8, prototypes.shape[1]), torch.arange(8) % 4
    assert 'geometry/target_cosine' in measured(features, labels, head)


def test_errors():
    labels = torch.tensor([0, 3])
    with pytest.raises(ValueError, match='FeatureGeometry.*FeaturesHook'):
        FeatureGeometry().process(None, [dict(pred_score=0)])
    with pytest.raises(ValueError, match='finite features.*NaN'):
        measured(torch.tensor([[1.0, float('nan')] * 3] * 2), labels)
    with pytest.raises(ValueError, match=r'\[0, 4\)'):
        measured(torch.ones(2, 6), labels + 1)
    with pytest.raises(ValueError, match='counted once, but got 2'):
        measured(torch.randn(2, 6), labels, size=3)
    with pytest.raises(ValueError, match="'pooled', 'pre_logits'"):
        FeatureGeometry(stage='neck')
    for metric in (FeatureGeometry(), FeatureSpectrum()):
        with pytest.raises(ValueError, match='Expected at least one batch.*dataset'):
            metric.evaluate(0)
    metric = FeatureGeometry()
    metric.head, metric.batch = PRETEND, torch.ones(1, 6)
    with pytest.raises(ValueError, match=r'shape \(N,\) = \(1,\), but got \(2,\)'):
        metric.process(None, [dict(gt_label=torch.tensor([1, 2]))])

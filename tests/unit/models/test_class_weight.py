"""Class weights and the focal factor, against loops over samples and classes."""

import pytest
import torch
from data_samples import samples_of
from mmengine.registry import init_default_scope
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.registry import MODELS
from torch.nn.functional import normalize, one_hot
from torch.testing import assert_close

from mmpod.functional import pedcc, self_correlation_loss
from mmpod.models import AMSoftmaxLoss, ASoftmaxLoss, CenterLoss, LSoftmaxLoss, NormAdaptivePODLoss, PEDCCLoss, PODLoss

K, D, N = 4, 6, 7
WEIGHTS = [0.5, 2.0, 0.0, 1.5]
LABELS = torch.tensor([0, 1, 2, 3, 1, 1, 0])


def problem():
    torch.manual_seed(0)
    return torch.randn(N, D), pedcc(K, D).float(), torch.rand(N, K).softmax(dim=1)


@pytest.mark.parametrize('power', [2, 3.5])
def test_the_cosine_term_of_pod_loss_is_weighted_and_sc_is_not(power):
    z, centroids, soft = problem()
    x = normalize(z)
    for labels, rows in ((LABELS, one_hot(LABELS, K).float()), (soft, soft)):
        terms = PODLoss(power=power, class_weight=WEIGHTS)(z, labels, centroids)
        total = 0.0
        for i in range(N):
            for k in range(K):
                total += rows[i, k] * WEIGHTS[k] * (1 - x[i] @ centroids[k]) ** power
        assert_close(terms['loss_cosine'], total / N)
        assert_close(terms['loss_sc'], self_correlation_loss(x - rows @ centroids))


@pytest.mark.parametrize('epsilon', [0.0, 0.1])
@pytest.mark.parametrize('weights', [None, WEIGHTS])
def test_the_norm_adaptive_term_is_weighted_and_smoothed(weights, epsilon):
    z, centroids, soft = problem()
    for labels, rows in ((LABELS, one_hot(LABELS, K).float()), (soft, soft)):
        loss = NormAdaptivePODLoss(initial_delta=0.5, class_weight=weights, label_smooth_val=epsilon)
        total = 0.0
        for i in range(N):
            for k in range(K):
                share = (1 - epsilon) * rows[i, k] + epsilon / K
                cosine = z[i] @ centroids[k] / (z[i] @ z[i] + 0.5**2).sqrt()
                total += share * (weights or [1] * K)[k] * (1 - cosine) ** 2
        assert_close(loss(z, labels, centroids)['loss_cosine'], total / N)


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
@pytest.mark.parametrize('weights', [None, WEIGHTS])
def test_weighted_and_focal_cross_entropy(gamma, weights):
    z, centroids, soft = problem()
    logits = 3 * normalize(z) @ centroids.T
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    for labels, rows in ((LABELS, one_hot(LABELS, K).float()), (soft, soft)):
        loss = AMSoftmaxLoss(scale=3.0, margin=0.0, class_weight=weights, focal_gamma=gamma)
        total = 0.0
        for i in range(N):
            for k in range(K):
                total -= (weights or [1] * K)[k] * rows[i, k] * (1 - p[i, k]) ** gamma * p[i, k].log()
        assert_close(loss(z, labels, centroids)['loss_amsoftmax'], total / N)


def test_the_mean_divides_as_that_of_mmpretrain():
    z, centroids, _ = problem()
    host = CrossEntropyLoss(class_weight=WEIGHTS)(3 * normalize(z) @ centroids.T, LABELS, avg_factor=N)
    ours = AMSoftmaxLoss(scale=3.0, margin=0.0, class_weight=WEIGHTS)(z, LABELS, centroids)
    assert_close(ours['loss_amsoftmax'], host)


def test_a_focal_factor_below_one_has_a_finite_gradient_at_certainty():
    z = (100 * torch.eye(K)[LABELS]).requires_grad_()
    LSoftmaxLoss(margin=1, focal_gamma=0.5)(z, LABELS, torch.eye(K))['loss_lsoftmax'].backward()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize('kind', [PODLoss, PEDCCLoss, AMSoftmaxLoss, ASoftmaxLoss, LSoftmaxLoss, CenterLoss])
def test_every_loss_takes_class_weights(kind):
    z, centroids, _ = problem()
    sizes = dict(num_classes=K, feat_dim=D) if kind is CenterLoss else {}
    plain, weighted = kind(**sizes)(z, LABELS, centroids), kind(**sizes, class_weight=[3] * K)(z, LABELS, centroids)
    first, *others = plain
    assert_close(weighted[first], 3 * plain[first])
    assert all(torch.equal(weighted[name], plain[name]) for name in others)
    assert 'class_weight' not in kind(**sizes, class_weight=[3] * K).state_dict()


def test_weights_of_another_number_of_classes_are_refused():
    z, centroids, _ = problem()
    with pytest.raises(ValueError, match='one number for each of the 4 classes, but got 2'):
        PODLoss(class_weight=[1, 2])(z, LABELS, centroids)


def test_one_hot_scores_of_the_preprocessor_are_labels():
    """`to_onehot=True` gives int64 scores, also between the mixed batches of an augmentation with a probability."""
    init_default_scope('mmpretrain')
    head = MODELS.build(dict(type='mmpod.PEDCCHead', num_classes=K, in_channels=5, feat_dim=D, cal_acc=True))
    preprocessor = MODELS.build(dict(type='ClsDataPreprocessor', to_onehot=True, num_classes=K))
    images = [torch.zeros(3, 2, 2)] * N
    scored = preprocessor(dict(inputs=images, data_samples=samples_of(LABELS)), training=True)['data_samples']
    assert scored[0].gt_score.dtype == torch.int64
    feats = (torch.randn(N, 5),)
    assert_close(head.loss(feats, scored), head.loss(feats, samples_of(LABELS)))


@pytest.mark.parametrize('dtype', [torch.int64, torch.float32])
def test_several_labels_per_image_are_refused(dtype):
    head = MODELS.build(dict(type='mmpod.PEDCCHead', num_classes=K, in_channels=5, feat_dim=D))
    rows = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0]], dtype=dtype)
    with pytest.raises(ValueError, match='to add up to 1, one class per image, but got sums from 1 to 2'):
        head.loss((torch.randn(2, 5),), samples_of(rows))

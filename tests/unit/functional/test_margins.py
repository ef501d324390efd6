"""The oracles use angles (acos) and loops; the functions under test use neither."""

import math

import pytest
import torch
from pytorch_metric_learning.losses import CosFaceLoss
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from mmpod.functional import (
    additive_margin_logits,
    monotone_cos_multiple,
    multiplicative_margin_logits,
    normalize_rows,
)

NUM_CLASSES, DIM = 5, 7


def batch(num_samples=6, num_classes=NUM_CLASSES):
    features = torch.randn(num_samples, DIM, dtype=torch.float64)
    prototypes = torch.randn(num_classes, DIM, dtype=torch.float64)
    return features, torch.randint(num_classes, (num_samples,)), prototypes


def angle(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return math.acos(dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b)))


def psi_by_angles(theta, margin):
    k = min(int(theta * margin / math.pi), margin - 1)
    return (-1) ** k * math.cos(margin * theta) - 2 * k


def softmax_loss_by_loops(logits, label):
    return -math.log(math.exp(logits[label]) / sum(math.exp(logit) for logit in logits))


@pytest.mark.parametrize('margin', [1, 2, 3, 4])
def test_psi_by_angles(margin):
    theta = torch.linspace(0, math.pi, 1001, dtype=torch.float64)
    expected = torch.tensor([psi_by_angles(t, margin) for t in theta.tolist()], dtype=torch.float64)
    measured = monotone_cos_multiple(theta.cos(), margin)
    assert_close(measured, expected, rtol=0, atol=1e-10)
    assert (measured.diff() < 0).all()
    assert_close(measured[[0, -1]], torch.tensor([1.0, 1 - 2 * margin]).double())


@pytest.mark.parametrize('margin', [1, 2, 3, 4])
def test_psi_has_finite_slopes_everywhere(margin):
    cosines = torch.tensor([1.0, -1.0, 0.0, 0.3, 1 + 1e-7, -1 - 1e-7], dtype=torch.float64, requires_grad=True)
    monotone_cos_multiple(cosines, margin).sum().backward()
    # d cos(m theta) / d cos(theta) is m sin(m theta) / sin(theta), which tends to m^2 at both ends.
    assert_close(cosines.grad[:2], torch.tensor([margin**2, margin**2]).double())
    assert cosines.grad.isfinite().all()


@pytest.mark.parametrize('margin', [2, 3, 4])
@pytest.mark.parametrize('plain_weight', [0.0, 5.0])
@pytest.mark.parametrize('unit', [False, True], ids=['L-Softmax', 'A-Softmax'])
def test_multiplicative_margin_by_loops(margin, plain_weight, unit):
    features, labels, prototypes = batch()
    if unit:
        prototypes = torch.nn.functional.normalize(prototypes)
    measured = multiplicative_margin_logits(features, labels, prototypes, margin, torch.tensor(plain_weight))
    losses = cross_entropy(measured, labels, reduction='none')
    for i, (x, label) in enumerate(zip(features.tolist(), labels.tolist())):
        logits = []
        for j, w in enumerate(prototypes.tolist()):
            lengths = math.sqrt(sum(v * v for v in x)) * math.sqrt(sum(v * v for v in w))
            theta = angle(x, w)
            plain, margined = lengths * math.cos(theta), lengths * psi_by_angles(theta, margin)
            logits.append((plain_weight * plain + margined) / (1 + plain_weight) if j == label else plain)
        assert_close(measured[i], torch.tensor(logits).double())
        assert_close(losses[i].item(), softmax_loss_by_loops(logits, label))


def test_infinite_plain_weight_is_softmax():
    features, labels, prototypes = batch()
    for weight in (1e30, float('inf')):
        measured = multiplicative_margin_logits(features, labels, prototypes, 4, torch.tensor(weight))
        assert_close(measured, features @ prototypes.T)


@pytest.mark.parametrize('num_classes', [2, 5])
def test_additive_margin_is_cosface_of_pytorch_metric_learning(num_classes):
    features, labels, prototypes = batch(num_classes=num_classes)
    outside = CosFaceLoss(num_classes, DIM, margin=0.35, scale=30).double()
    outside.W.data = prototypes.T.clone()
    cosines = normalize_rows(features) @ normalize_rows(prototypes).T
    assert_close(cross_entropy(additive_margin_logits(cosines, labels, 30, 0.35), labels), outside(features, labels))


@pytest.mark.parametrize('margin', [1, 2, 3, 4])
def test_gradients(margin):
    features, labels, prototypes = batch()
    inputs = (features.requires_grad_(), prototypes.requires_grad_())

    def multiplied(z, w):
        return cross_entropy(multiplicative_margin_logits(z, labels, w, margin, torch.tensor(0.5)), labels)

    def added(z, w):
        cosines = normalize_rows(z) @ normalize_rows(w).T
        return cross_entropy(additive_margin_logits(cosines, labels, 30, 0.35), labels)

    assert torch.autograd.gradcheck(multiplied, inputs)
    assert torch.autograd.gradcheck(added, inputs)

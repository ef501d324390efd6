"""The oracles are the paper's equations, summed entry by entry in Python."""

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import (
    class_residuals,
    cosine_loss,
    norm_adaptive,
    normalize_rows,
    pedcc,
    pod_loss,
    self_correlation_loss,
)

NUM_CLASSES, DIM = 5, 7


def batch(num_samples, dim=DIM):
    unit = normalize_rows(torch.randn(num_samples, dim, dtype=torch.float64))
    labels = torch.randint(NUM_CLASSES, (num_samples,))
    return unit, labels, pedcc(NUM_CLASSES, dim)


def cosine_by_loops(unit, labels, centroids, power):
    result = []
    for x, label in zip(unit.tolist(), labels.tolist()):
        result.append((1 - sum(a * b for a, b in zip(x, centroids[label].tolist()))) ** power)
    return torch.tensor(result, dtype=torch.float64)


def sc_by_loops(residuals):
    """Eq. 14 and 15 as printed: R_ij over samples, then the squares off the diagonal."""
    e = residuals.tolist()
    num_samples, dim = len(e), len(e[0])
    total = 0.0
    for i in range(dim):
        for j in range(dim):
            if i != j:
                total += (sum(e[n][i] * e[n][j] for n in range(num_samples)) / (num_samples - 1)) ** 2
    return torch.tensor(total, dtype=torch.float64)


def test_power_one_is_pedcc_mse():
    """Eq. 10: half the squared distance, Eq. 12: one minus the cosine."""
    unit, labels, centroids = batch(6)
    expected = torch.stack([(x - centroids[y]).square().sum() / 2 for x, y in zip(unit, labels)])
    assert_close(cosine_loss(unit, labels, centroids, power=1), expected)


def test_aligned_and_opposite_features():
    centroids = pedcc(NUM_CLASSES, DIM)
    labels = torch.arange(NUM_CLASSES)
    assert_close(cosine_loss(centroids, labels, centroids), torch.zeros(NUM_CLASSES).double(), rtol=0, atol=1e-24)
    assert_close(cosine_loss(-centroids, labels, centroids), torch.full((NUM_CLASSES,), 4.0).double())


def test_fractional_power_of_a_cosine_that_rounding_lifted_above_one():
    centroids = pedcc(NUM_CLASSES, DIM)
    lifted = (centroids * (1 + 1e-7)).requires_grad_()
    loss = cosine_loss(lifted, torch.arange(NUM_CLASSES), centroids, power=1.5)
    loss.sum().backward()
    assert_close(loss.detach(), torch.zeros(NUM_CLASSES).double())
    assert lifted.grad.isfinite().all()


@pytest.mark.parametrize('num_samples', [2, 6, 7, 8, 20])
def test_sc_loss_is_eq_14_on_both_sides_of_n_equals_d(num_samples):
    residuals = torch.randn(num_samples, DIM, dtype=torch.float64)
    assert_close(self_correlation_loss(residuals), sc_by_loops(residuals))


def test_rotation_keeps_the_cosine_term_only():
    unit, labels, centroids = batch(6)
    rotation, _ = torch.linalg.qr(torch.randn(DIM, DIM, dtype=torch.float64))
    assert_close(cosine_loss(unit @ rotation, labels, centroids @ rotation), cosine_loss(unit, labels, centroids))
    before = self_correlation_loss(class_residuals(unit, labels, centroids))
    after = self_correlation_loss(class_residuals(unit @ rotation, labels, centroids @ rotation))
    assert (after / before - 1).abs() > 1e-3


def test_soft_labels_by_loops():
    unit, _, centroids = batch(4)
    weights = torch.rand(4, NUM_CLASSES, dtype=torch.float64).softmax(1)
    for n in range(4):
        loss = sum(
            weights[n, k] * (1 - sum(unit[n, d] * centroids[k, d] for d in range(DIM))) ** 2 for k in range(NUM_CLASSES)
        )
        assert_close(cosine_loss(unit, weights, centroids)[n], loss)
        residual = [unit[n, d] - sum(weights[n, k] * centroids[k, d] for k in range(NUM_CLASSES)) for d in range(DIM)]
        assert_close(class_residuals(unit, weights, centroids)[n], torch.stack(residual))


@pytest.mark.parametrize('num_samples', [1, 3, 7, 9])
@pytest.mark.parametrize('power', [1, 1.5, 2, 3])
def test_pod_loss_by_loops(num_samples, power):
    """Eq. 13-16 from features of any length, and the gradient against differences of the value."""
    unit, labels, centroids = batch(num_samples)
    features = ((1 + torch.rand(num_samples, 1)).double() * unit).requires_grad_()
    cosine, sc = pod_loss(features, labels, centroids, power, sc_weight=0.3)
    assert_close(cosine, cosine_by_loops(unit, labels, centroids, power).mean())
    residuals = torch.tensor([[a - b for a, b in zip(x, centroids[y].tolist())] for x, y in zip(unit.tolist(), labels)])
    expected = torch.zeros(()).double() if num_samples == 1 else 0.3 * sc_by_loops(residuals.double())
    assert_close(sc, expected, rtol=1e-5, atol=1e-9)
    assert torch.autograd.gradcheck(lambda z: pod_loss(z, labels, centroids, power, sc_weight=0.3), features)


def test_norm_adaptive_pulls_a_zero_feature_to_its_centroid():
    """At z = 0 the loss (1 - z.p/sqrt(|z|^2 + delta^2))^2 has the gradient -2 p / delta."""
    features, centroids, delta = torch.zeros(1, DIM, requires_grad=True), pedcc(NUM_CLASSES, DIM).float(), 0.05
    shrunk = norm_adaptive(features, normalize_rows(features), torch.tensor(delta))
    cosine_loss(shrunk, torch.tensor([0]), centroids).sum().backward()
    assert_close(features.grad[0], -2 * centroids[0] / delta)


def test_norm_adaptive_gradients():
    features, delta = torch.randn(4, DIM, dtype=torch.float64, requires_grad=True), torch.tensor(0.7).double()
    assert torch.autograd.gradcheck(lambda z: norm_adaptive(z, normalize_rows(z), delta), features)

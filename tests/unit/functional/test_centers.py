import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import center_loss, center_steps

NUM_CLASSES, DIM = 4, 3


def batch(num_samples=6):
    features = torch.randn(num_samples, DIM, dtype=torch.float64)
    return features, torch.tensor([0, 0, 1, 2, 2, 2])[:num_samples], torch.randn(NUM_CLASSES, DIM).double()


@pytest.mark.parametrize('mixed', [False, True])
def test_soft_labels_average(mixed):
    features, labels, centers = batch()
    weights = torch.nn.functional.one_hot(labels, NUM_CLASSES).double()
    if mixed:
        weights = 0.3 * weights + 0.7 * weights.roll(1, 0)
    loss, (sums, counts) = center_loss(features, weights, centers), center_steps(features, weights, centers)
    for i in range(6):
        parts = [weights[i, k] * (features[i] - centers[k]).square().sum() / 2 for k in range(NUM_CLASSES)]
        assert_close(loss[i], sum(parts))
    for k in range(NUM_CLASSES):
        assert_close(sums[k], sum(weights[i, k] * (features[i] - centers[k]) for i in range(6)))
        assert_close(counts[k], sum(weights[i, k] for i in range(6)))


def test_gradient_is_the_residual():
    features, labels, centers = batch()
    features.requires_grad_(), centers.requires_grad_()
    center_loss(features, labels, centers).sum().backward()
    assert_close(features.grad, (features - centers[labels]).detach())
    assert centers.grad is None
    soft = torch.rand(6, NUM_CLASSES).double().softmax(1)
    assert torch.autograd.gradcheck(lambda x: center_loss(x, soft, centers), features)

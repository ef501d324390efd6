"""SC Loss is tested with POD Loss, in test_pod.py."""

import math

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import barlow_twins_loss, self_correlation_loss, vicreg_covariance_loss

DIM = 5


def columns(residuals):
    return residuals.T.tolist()


def mean(values):
    return sum(values) / len(values)


@pytest.mark.parametrize('num_samples', [2, 4, 9])
def test_barlow_is_the_sum_of_squared_correlations(num_samples):
    """Pearson's coefficients of each pair of dimensions, computed in pairs."""
    residuals = torch.randn(num_samples, DIM, dtype=torch.float64)
    total = 0.0
    for i, a in enumerate(columns(residuals)):
        for j, b in enumerate(columns(residuals)):
            if i != j:
                covariance = mean([(x - mean(a)) * (y - mean(b)) for x, y in zip(a, b)])
                spread = mean([(x - mean(a)) ** 2 for x in a]) * mean([(y - mean(b)) ** 2 for y in b])
                total += (covariance / math.sqrt(spread)) ** 2
    assert_close(barlow_twins_loss(residuals).item(), total, rtol=1e-6, atol=0)


@pytest.mark.parametrize('num_samples', [2, 4, 9])
def test_vicreg_is_the_mean_of_squared_covariances(num_samples):
    residuals = torch.randn(num_samples, DIM, dtype=torch.float64)
    total = 0.0
    for i, a in enumerate(columns(residuals)):
        for j, b in enumerate(columns(residuals)):
            if i != j:
                total += (sum((x - mean(a)) * (y - mean(b)) for x, y in zip(a, b)) / (num_samples - 1)) ** 2
    assert_close(vicreg_covariance_loss(residuals).item(), total / DIM)


def test_shift_and_scale():
    residuals = torch.randn(9, DIM, dtype=torch.float64)
    for loss in (barlow_twins_loss, vicreg_covariance_loss):
        assert_close(loss(residuals + 3), loss(residuals))
    assert_close(barlow_twins_loss(1e-3 * residuals), barlow_twins_loss(residuals), rtol=1e-5, atol=0)


@pytest.mark.parametrize('loss', [self_correlation_loss, barlow_twins_loss, vicreg_covariance_loss])
@pytest.mark.parametrize('num_samples', [1, 3, 9])
def test_gradients_and_constant_dimensions(loss, num_samples):
    residuals = torch.randn(num_samples, DIM, dtype=torch.float64, requires_grad=True)
    if num_samples > 1:
        assert torch.autograd.gradcheck(loss, residuals)
    constant = torch.ones(num_samples, DIM, requires_grad=True)
    loss(constant).backward()
    assert constant.grad.isfinite().all()
    partly = torch.cat([torch.ones(num_samples, 1), torch.randn(num_samples, DIM - 1)], 1).requires_grad_()
    loss(partly).backward()
    assert partly.grad.isfinite().all()

"""SC Loss is tested with POD Loss, in test_pod.py."""

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import barlow_twins_loss, self_correlation_loss, vicreg_covariance_loss

DIM = 5


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

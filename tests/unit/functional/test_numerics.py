import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import at_least_float32, normalize_rows, row_lengths


@pytest.mark.parametrize('scale', [1e-30, 1e-20, 1.0, 1e20, 1e30])
def test_unit_rows_at_any_scale(scale):
    features = torch.randn(5, 7)
    expected = features.double() / features.double().square().sum(1, keepdim=True).sqrt()
    assert_close(normalize_rows(features * scale), expected.float(), rtol=1e-5, atol=1e-6)


def test_gradient_is_that_of_the_quotient():
    features = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(normalize_rows, features)


def test_gradient_of_small_features():
    """d(z/|z|)/dz grows as 1/|z|; a guard like max(|z|, eps) would lose it."""
    features = torch.randn(1, 4)
    weight = torch.randn(1, 4)
    grads = []
    for scale in (1.0, 1e-15):
        z = (features * scale).requires_grad_()
        (normalize_rows(z) * weight).sum().backward()
        grads.append(z.grad * scale)
    assert_close(grads[0], grads[1])


def test_zero_row_stays_zero_and_passes_its_gradient():
    features = torch.zeros(2, 3, requires_grad=True)
    unit = normalize_rows(features)
    unit.backward(torch.ones(2, 3))
    assert_close(unit.detach(), torch.zeros(2, 3))
    assert_close(features.grad, torch.ones(2, 3))


@pytest.mark.parametrize('scale', [1e-30, 1.0, 1e30])
def test_lengths_and_their_slope_at_any_scale(scale):
    features = (scale * torch.randn(5, 7)).requires_grad_()
    lengths = row_lengths(features)
    lengths.sum().backward()
    expected = torch.tensor([[sum(v * v for v in z) ** 0.5] for z in features.tolist()])
    assert_close(lengths.detach(), expected)
    assert_close(features.grad, normalize_rows(features.detach()))
    zero = torch.zeros(2, 3, requires_grad=True)
    row_lengths(zero).sum().backward()
    assert_close(zero.grad, torch.zeros(2, 3))


@pytest.mark.parametrize(
    'dtype, expected',
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_precision_is_raised_never_lowered(dtype, expected):
    assert at_least_float32(torch.ones(1, dtype=dtype)).dtype == expected

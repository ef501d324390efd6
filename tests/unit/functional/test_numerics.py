import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import normalize_rows
from mmpod.functional.numerics import row_lengths


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


def test_a_trace_with_gradients_can_be_saved(tmp_path):
    features = torch.randn(4, 3, requires_grad=True)
    traced = torch.jit.trace(lambda rows: normalize_rows(rows), features)
    traced.save(str(tmp_path / 'rows.pt'))
    torch.testing.assert_close(torch.jit.load(str(tmp_path / 'rows.pt'))(features), normalize_rows(features))

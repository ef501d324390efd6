"""Numerical safety of the losses with half precision and degenerate features."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

__all__ = ['at_least_float32', 'no_autocast', 'normalize_rows', 'row_lengths']

AUTOCAST_BY_DEVICE = hasattr(torch, 'get_autocast_dtype')  # PyTorch 2.4 and later
NOTHING = nullcontext()


def at_least_float32(tensor: Tensor) -> Tensor:
    """Return ``tensor`` in float32; float64 is kept."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def no_autocast(tensor: Tensor) -> AbstractContextManager:
    """Return a context manager that disables autocast on the device of ``tensor``."""
    device = tensor.device.type
    if AUTOCAST_BY_DEVICE and not torch.is_autocast_enabled(device):
        return NOTHING  # entering an autocast context takes as long as several small operations
    return torch.autocast(device, enabled=False)


def normalize_rows(features: Tensor) -> Tensor:
    r"""Scale each row to unit length, :math:`x_i = z_i / \|z_i\|`, however small or large it is.

    A row of zeros has no direction: it stays zero and passes its gradient on unchanged, so that training can move it.
    Differentiable once.

    Args:
        features: Shape (N, D), float32 or float64. Row lengths must be in the range of that type (up to 3.4e38 in
            float32); longer rows become zeros. In float64, and on Apple's GPUs, which have no float64, the squares of
            the entries must be in range as well.

    Returns:
        Tensor: Shape (N, D), unit rows, and zero rows where ``features`` has them.

    Example:
        >>> normalize_rows(torch.tensor([[3e-30, 4e-30], [0., 0.]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    if torch.is_grad_enabled() and features.requires_grad and not torch.jit.is_tracing():
        return _NormalizeRows.apply(features)
    # Plain operations, which every export format supports, also if it traces with gradients.
    return features / _lengths(features).clamp_min(torch.finfo(features.dtype).tiny)


def _lengths(features: Tensor) -> Tensor:
    # In float64 the squares of float32 entries neither overflow nor underflow.
    wide = features.dtype if features.device.type == 'mps' else torch.float64
    return torch.linalg.vector_norm(features, dim=1, keepdim=True, dtype=wide).to(features.dtype)


def unit_rows(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return unit rows (N, D) and the lengths (N, 1) to divide their gradients by, 1 for rows of zeros."""
    length = torch.threshold(_lengths(features), torch.finfo(features.dtype).tiny, 1)
    return features / length, length


def through_unit_rows(grad: Tensor, unit: Tensor, length: Tensor) -> Tensor:
    """Return the gradient of :func:`unit_rows`, (g - x <x, g>) / ||z||: tangent to the sphere."""
    radial = (unit * grad).sum(dim=1, keepdim=True)
    return torch.addcmul(grad, unit, radial, value=-1).div_(length)


class _NormalizeRows(torch.autograd.Function):
    """:func:`normalize_rows` with a closed-form gradient, in fewer passes over memory."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        unit, length = unit_rows(features)
        ctx.save_for_backward(unit, length)
        return unit

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        refuse_second_derivative('normalize_rows')
        return through_unit_rows(grad, *ctx.saved_tensors)


def refuse_second_derivative(function: str) -> None:
    """Raise a RuntimeError in a backward pass that is recorded; PyTorch's `once_differentiable` can be passed by."""
    if torch.is_grad_enabled():
        raise RuntimeError(f'Expected `create_graph=False`: {function} can be differentiated only once.')


def row_lengths(features: Tensor) -> Tensor:
    """Return the length of each row of (N, D), shape (N, 1), with a gradient of zero at rows of zeros.

    Lengths must be in the range of :func:`normalize_rows`. Differentiable once.
    """
    return (features * normalize_rows(features)).sum(dim=1, keepdim=True)

"""Precision: what the losses need so that half-precision training and degenerate features stay safe."""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ['at_least_float32', 'no_autocast', 'normalize_rows']


def at_least_float32(tensor: Tensor) -> Tensor:
    """Return ``tensor`` in float32, or as it is where it is more precise.

    Example:
        >>> at_least_float32(torch.ones(2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def no_autocast(tensor: Tensor) -> torch.autocast:
    """Return the context in which operations on ``tensor``'s device keep their inputs' precision."""
    return torch.autocast(tensor.device.type, enabled=False)


def normalize_rows(features: Tensor) -> Tensor:
    r"""Scale each row to unit length, :math:`x_i = z_i / \|z_i\|`, for rows of any magnitude.

    A row is first divided by its largest entry, so that squares neither overflow nor underflow. A row of zeros has no
    direction: it stays zero and passes its gradient on unchanged, finite, so that training can move it away.
    Differentiable once.

    Args:
        features: Shape (N, D), floating point.

    Returns:
        Tensor: Shape (N, D), unit rows, and zero rows where ``features`` has them.

    Example:
        >>> normalize_rows(torch.tensor([[3e-30, 4e-30], [0., 0.]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    return NormalizeRows.apply(features)


class NormalizeRows(torch.autograd.Function):
    """:func:`normalize_rows` with its gradient in closed form, (g - x <x, g>) / ||z||, in fewer passes."""

    @staticmethod
    def forward(ctx, features: Tensor) -> Tensor:
        """Return the unit rows."""
        largest = features.abs().amax(dim=1, keepdim=True)
        largest.masked_fill_(largest < torch.finfo(features.dtype).tiny, 1)
        unit = features / largest
        # After this division every row but a zero row is at least 1 long.
        length = torch.linalg.vector_norm(unit, dim=1, keepdim=True).clamp_min_(1)
        unit.div_(length)
        ctx.save_for_backward(unit, largest, length)
        return unit

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> Tensor:
        """Return the part of the gradient that is tangent to the sphere, over the length of the row."""
        unit, largest, length = ctx.saved_tensors
        radial = (unit * grad).sum(dim=1, keepdim=True)
        # Two divisions: the product of the lengths may be out of range where the quotient is not.
        return torch.addcmul(grad, unit, radial, value=-1).div_(length).div_(largest)

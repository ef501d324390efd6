"""Precision: what the losses need so that half-precision training and degenerate features stay safe."""

import torch
from torch import Tensor

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

    A row is first divided by its largest entry, so that squares neither overflow nor underflow. (Held constant, that
    factor does not change the gradient: the direction of a row does not depend on its scale.) A row of zeros has no
    direction: it stays zero and passes its gradient on unchanged, finite, so that training can move it away.

    Args:
        features: Shape (N, D), floating point.

    Returns:
        Tensor: Shape (N, D), unit rows, and zero rows where ``features`` has them.

    Example:
        >>> normalize_rows(torch.tensor([[3e-30, 4e-30], [0., 0.]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    largest = features.detach().abs().amax(dim=1, keepdim=True)
    scaled = features / largest.where(largest >= torch.finfo(features.dtype).tiny, torch.ones_like(largest))
    # After the scaling every row but a zero row is at least 1 long.
    return scaled / torch.linalg.vector_norm(scaled, dim=1, keepdim=True).clamp_min(1)

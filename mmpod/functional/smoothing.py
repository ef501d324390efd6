"""Label smoothing (Szegedy et al., arXiv 1512.00567) as soft labels."""

import torch
from torch import Tensor

from .centers import as_soft_labels

__all__ = ['smooth_labels']


def smooth_labels(labels: Tensor, num_classes: int, amount: float, dtype: torch.dtype = torch.float32) -> Tensor:
    r"""Return smoothed soft labels, :math:`(1 - \epsilon) T_{ik} + \epsilon / K`.

    This is the ``'original'`` mode of mmpretrain's ``LabelSmoothLoss``; the ``'classy_vision'`` mode with
    :math:`\epsilon` equals this one with :math:`\epsilon / (1 + \epsilon)`.

    Args:
        labels: Shape (N,), integers in [0, K), or T, (N, K), floating point, rows that sum to one.
        num_classes: K.
        amount: Epsilon, in [0, 1).
        dtype: Floating-point data type of the result.

    Returns:
        Tensor: Shape (N, K).

    Example:
        >>> import torch
        >>> smooth_labels(torch.tensor([1]), 2, 0.1)
        tensor([[0.0500, 0.9500]])
    """
    return (1 - amount) * as_soft_labels(labels, num_classes, dtype) + amount / num_classes

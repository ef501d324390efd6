"""Convert features and labels given as tensors or NumPy arrays."""

from typing import Any, Optional, TypeVar, Union

import numpy as np
import torch
from torch import Tensor

__all__ = ['Array', 'ArrayT', 'as_features', 'as_labels']

Array = Union[Tensor, np.ndarray]
ArrayT = TypeVar('ArrayT', bound=Array)


def _readable(values: Any) -> Any:
    """Return an array that PyTorch can read: without negative strides, in the byte order of the machine."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder('=')) if isinstance(values, np.ndarray) else values


def as_features(features: Array, dim: Optional[int] = None, minimum: int = 1) -> Tensor:
    """Return features (N, D), N >= ``minimum``, as a tensor, without a copy if they are a contiguous native array.

    Raises:
        TypeError: ``features`` is not a tensor or array of real numbers.
        ValueError: Wrong shape, too few samples, NaN or infinity.
    """
    rows: Any = _readable(features)
    try:
        rows = torch.from_numpy(rows) if isinstance(rows, np.ndarray) else rows
    except TypeError:  # PyTorch has no such dtype
        rows = None
    if not isinstance(rows, Tensor) or rows.is_complex() or rows.dtype == torch.bool:
        kind = getattr(features, 'dtype', type(features).__name__)
        raise TypeError(
            f'Expected `features` to be a tensor or NumPy array of real numbers, but got {kind}. Convert them to an '
            'array of float32 or float64.'
        )
    rows = rows.detach()
    if rows.ndim != 2 or len(rows) < minimum or rows.shape[1] == 0 or (dim is not None and rows.shape[1] != dim):
        rule = f'(N, D) with D = {dim} as in fitting' if dim is not None else '(N, D)'
        raise ValueError(f'Expected `features` to be of shape {rule} and N >= {minimum}, but got {tuple(rows.shape)}.')
    # A finite sum proves in one pass that all entries are finite; an infinite one may be an overflow, so check again.
    if not torch.isfinite(rows.sum(dtype=torch.float64)) and not torch.isfinite(rows).all():
        invalid = ~torch.isfinite(rows).all(dim=1)
        raise ValueError(
            f'Expected finite `features`, but got NaN or infinity in {int(invalid.sum())} of {len(rows)} rows, first '
            f'in row {int(invalid.nonzero()[0])}. Check whether training has diverged, or images are broken.'
        )
    return rows


def as_labels(labels: Any, features: Tensor, num_classes: Optional[int]) -> Tensor:
    """Return labels (N,) as int64 on the device of ``features`` (N, D).

    Raises:
        TypeError: The labels are not integers.
        ValueError: Wrong shape, or a label outside [0, K).
    """
    try:
        labels = labels if isinstance(labels, Tensor) else torch.as_tensor(_readable(np.asarray(labels)))
    except (TypeError, ValueError) as error:
        raise TypeError(f'Expected `labels` to be integers, one class per sample, but got others: {error}.') from error
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f'Expected `labels` to be integers, one class per sample, but got {labels.dtype}.')
    if labels.shape != features.shape[:1]:
        raise ValueError(f'Expected `labels` to be of shape (N,) = ({len(features)},), but got {tuple(labels.shape)}.')
    if len(labels):
        lowest, highest = (int(extreme) for extreme in labels.long().aminmax())
        if lowest < 0 or (num_classes is not None and highest >= num_classes):
            rule = 'be at least 0' if num_classes is None else f'lie in [0, {num_classes})'
            raise ValueError(f'Expected `labels` to {rule}, but got values from {lowest} to {highest}.')
    return labels.long().to(features.device)

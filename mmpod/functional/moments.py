"""Moments of features by class, added up batch by batch: all that Gaussian discriminant analysis learns from.

Sums are kept about the class means, never about the origin, and moved when a mean moves (Chan, Golub and LeVeque, 1983;
here up to fourth order). So neither far-off means nor the order of the batches costs digits. Everything is float64.
"""

from typing import NamedTuple, Optional, Union

import torch
from torch import Tensor

from mmpod.utils.distributed import global_sum, world_size

__all__ = ['ClassMoments', 'accumulate_', 'class_moments', 'empty_moments', 'sum_over_processes_']


class ClassMoments(NamedTuple):
    r"""Sums over the :math:`n_k` samples of each class, with z = x minus the mean of its class.

    Attributes:
        counts: :math:`n_k`, shape (K,).
        means: Shape (K, D); zero where a class has no sample.
        scatter: :math:`\sum z z^T` by class, shape (K, D, D), or over all classes, shape (D, D).
        third: :math:`\sum \|z\|^2 z`, shape (K, D); None beside a scatter over all classes.
        fourth: :math:`\sum \|z\|^4`, shape (K,); None likewise.
    """

    counts: Tensor
    means: Tensor
    scatter: Tensor
    third: Optional[Tensor]
    fourth: Optional[Tensor]


def empty_moments(num_classes: int, dim: int, by_class: bool = True, device: Optional[str] = None) -> ClassMoments:
    """Return the moments of no samples.

    Args:
        num_classes: K.
        dim: D.
        by_class: Keep one scatter a class, K D^2 numbers, and what the Ledoit-Wolf intensity needs; else one scatter
            about the class means, D^2 numbers.
        device: Where to keep them.
    """

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=device)

    counts, means = zeros(num_classes), zeros(num_classes, dim)
    if not by_class:
        return ClassMoments(counts, means, zeros(dim, dim), None, None)
    return ClassMoments(counts, means, zeros(num_classes, dim, dim), zeros(num_classes, dim), zeros(num_classes))


def class_moments(features: Tensor, labels: Tensor, num_classes: int, by_class: bool = True) -> ClassMoments:
    """Return the moments of a batch.

    Args:
        features: Shape (N, D).
        labels: Shape (N,), integers in [0, K).
        num_classes: K.
        by_class: See :func:`empty_moments`.

    Example:
        >>> moments = class_moments(torch.tensor([[1., 0.], [3., 0.], [5., 7.]]), torch.tensor([0, 0, 1]), 2)
        >>> moments.means.tolist(), moments.scatter[0].tolist(), moments.fourth.tolist()
        ([[2.0, 0.0], [5.0, 7.0]], [[2.0, 0.0], [0.0, 0.0]], [2.0, 0.0])
    """
    empty = empty_moments(num_classes, features.shape[1], by_class, features.device)
    return accumulate_(empty, features, labels)


def accumulate_(moments: ClassMoments, features: Tensor, labels: Tensor) -> ClassMoments:
    """Return the moments with a batch added; the scatter is updated in place, a copy of it would double the memory.

    The work is one product of each class's own rows: neither an (N, D, D) tensor nor a pass over all rows by class.

    Args:
        moments: What has been seen so far.
        features: Shape (N, D).
        labels: Shape (N,), integers in [0, K).

    Example:
        >>> batch, labels = torch.randn(6, 3), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> halves = accumulate_(class_moments(batch[:3], labels[:3], 2), batch[3:], labels[3:])
        >>> torch.testing.assert_close(halves, class_moments(batch, labels, 2))
    """
    added = torch.bincount(labels, minlength=len(moments.counts))
    counts = moments.counts + added
    if moments.third is None:
        residuals = features.to(moments.means) - moments.means[labels]
        steps = torch.zeros_like(moments.means).index_add_(0, labels, residuals)
        means = moments.means + steps / counts.clamp_min(1).unsqueeze(1)
        moved = _translate_(moments, means, added.nonzero().flatten())
        residuals -= (means - moments.means)[labels]
        moved.scatter.addmm_(residuals.T, residuals)
        return moved._replace(counts=counts)

    if (labels[1:] < labels[:-1]).any():
        order = labels.argsort()
        features, labels = features[order], labels[order]
    present, sizes = added.nonzero().flatten().tolist(), added[added > 0].tolist()
    means = moments.means.clone()
    for k, rows in zip(present, features.split(sizes)):
        means[k] += (rows.to(means) - means[k]).sum(dim=0) / counts[k]
    moved = _translate_(moments, means, present)
    for k, rows in zip(present, features.split(sizes)):
        rows = rows.to(means) - means[k]
        squares = rows.square().sum(dim=1)
        moved.scatter[k].addmm_(rows.T, rows)
        moved.third[k] += squares @ rows
        moved.fourth[k] += squares @ squares
    return moved._replace(counts=counts)


def _translate_(moments: ClassMoments, means: Tensor, classes: Union[list[int], Tensor]) -> ClassMoments:
    """Take the sums of ``classes`` about other points than the class means, for adding up; in place in the scatter."""
    counts, scatter, d = moments.counts, moments.scatter, moments.means - means
    if moments.third is None:
        weighted = counts[classes].sqrt().unsqueeze(1) * d[classes]  # of K classes few in a batch have moved
        scatter.addmm_(weighted.T, weighted)
        return moments._replace(means=means)
    third, fourth = moments.third.clone(), moments.fourth.clone()
    for k in classes:
        if counts[k] == 0:
            continue
        length, spread, turned = d[k] @ d[k], scatter[k].trace(), scatter[k] @ d[k]
        fourth[k] += 4 * d[k] @ (turned + third[k]) + 2 * length * spread + counts[k] * length**2
        third[k] += 2 * turned + (spread + counts[k] * length) * d[k]
        scatter[k].addr_(d[k], d[k], alpha=counts[k].item())
    return ClassMoments(counts, means, scatter, third, fourth)


def sum_over_processes_(moments: ClassMoments) -> ClassMoments:
    """Return the moments of the samples of all processes; the scatter is updated in place.

    A collective: every process must call it. Outside a distributed run the moments come back as they are.
    """
    if world_size() == 1:
        return moments
    counts = global_sum(moments.counts)
    means = global_sum(moments.counts.unsqueeze(1) * moments.means) / counts.clamp_min(1).unsqueeze(1)
    moved = _translate_(moments, means, list(range(len(counts))))
    # One class at a time: a copy of the whole scatter would double the memory.
    for part in moved.scatter if moved.third is not None else [moved.scatter]:
        part.copy_(global_sum(part))
    if moved.third is None:
        return moved._replace(counts=counts)
    return ClassMoments(counts, means, moved.scatter, global_sum(moved.third), global_sum(moved.fourth))

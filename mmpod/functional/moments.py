"""Moments of features per class, accumulated batch by batch, for fitting Gaussian discriminant analysis.

Sums are kept about the class means, not about the origin, and shifted when a mean changes (Chan, Golub and LeVeque,
1983; here up to fourth order), so that neither distant means nor the order of the batches cost precision. Everything is
float64.
"""

from typing import Callable, NamedTuple, Optional, Union

import torch
from torch import Tensor

__all__ = ['ClassMoments', 'accumulate_', 'class_moments', 'empty_moments', 'merge_moments']

# Rows whose residuals are computed together.
ROWS = 8192


class ClassMoments(NamedTuple):
    r"""Sums over the :math:`n_k` samples of each class, with z = x minus the mean of its class.

    Attributes:
        counts: :math:`n_k`, shape (K,).
        means: Shape (K, D); zero for a class without samples.
        scatter: :math:`\sum z z^T` per class, shape (K, D, D), or over all classes, shape (D, D).
        third: :math:`\sum \|z\|^2 z`, shape (K, D); None with a scatter over all classes.
        fourth: :math:`\sum \|z\|^4`, shape (K,); None with a scatter over all classes.
    """

    counts: Tensor
    means: Tensor
    scatter: Tensor
    third: Optional[Tensor] = None
    fourth: Optional[Tensor] = None


def empty_moments(
    num_classes: int, dim: int, by_class: bool = True, device: Union[torch.device, str, None] = None
) -> ClassMoments:
    """Return the moments of K classes in D dimensions before the first sample.

    ``by_class`` keeps one scatter per class, K D^2 numbers, and what the Ledoit-Wolf intensity needs; otherwise there
    is one scatter about the class means, D^2 numbers.
    """

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=device)

    counts, means = zeros(num_classes), zeros(num_classes, dim)
    if not by_class:
        return ClassMoments(counts, means, zeros(dim, dim))
    return ClassMoments(counts, means, zeros(num_classes, dim, dim), zeros(num_classes, dim), zeros(num_classes))


def class_moments(features: Tensor, labels: Tensor, num_classes: int, by_class: bool = True) -> ClassMoments:
    """Return the moments of features (N, D) with labels (N,) in [0, K); see :func:`empty_moments` for ``by_class``."""
    empty = empty_moments(num_classes, features.shape[1], by_class, features.device)
    return accumulate_(empty, features, labels)


def accumulate_(moments: ClassMoments, features: Tensor, labels: Tensor) -> ClassMoments:
    """Return the moments after adding features (N, D) with labels (N,) in [0, K).

    The scatter is updated in place, because a copy would double the memory. Each class takes one matrix product of its
    own rows; no (N, D, D) tensor is formed, and no class reads all rows.
    """
    if moments.third is None and len(features) > ROWS:  # all residuals together would double the memory
        for rows, classes in zip(features.split(ROWS), labels.split(ROWS)):
            moments = accumulate_(moments, rows, classes)
        return moments
    added = torch.bincount(labels, minlength=len(moments.counts))
    counts = moments.counts + added
    if moments.third is None or moments.fourth is None:
        residuals = features.to(moments.means) - moments.means[labels]
        steps = torch.zeros_like(moments.means).index_add_(0, labels, residuals)
        means = moments.means + steps / counts.clamp_min(1).unsqueeze(1)
        moved = _translate_(moments, means)
        residuals -= (means - moments.means)[labels]
        moved.scatter.addmm_(residuals.T, residuals)
        return moved._replace(counts=counts)

    order, sizes = labels.argsort(), added.tolist()
    means = moments.means.clone()
    for k, chosen in enumerate(order.split(sizes)):
        if len(chosen):
            means[k] += (features[chosen].to(means) - means[k]).sum(dim=0) / counts[k]
    moved = _translate_(moments, means)
    assert moved.third is not None and moved.fourth is not None
    for k, chosen in enumerate(order.split(sizes)):
        if len(chosen):
            rows = features[chosen].to(means) - means[k]
            squares = rows.square().sum(dim=1)
            moved.scatter[k].addmm_(rows.T, rows)
            moved.third[k] += squares @ rows
            moved.fourth[k] += squares @ squares
    return moved._replace(counts=counts)


def _translate_(moments: ClassMoments, means: Tensor) -> ClassMoments:
    """Re-centre the sums at other ``means``, (K, D), so that they can be added up; updates the scatter in place."""
    counts, scatter, d = moments.counts, moments.scatter, moments.means - means
    moved = d.any(dim=1).nonzero().flatten()
    if moments.third is None or moments.fourth is None:
        weighted = counts[moved].sqrt().unsqueeze(1) * d[moved]
        scatter.addmm_(weighted.T, weighted)
        return moments._replace(means=means)
    third, fourth = moments.third.clone(), moments.fourth.clone()
    for k in moved.tolist():
        length, spread, turned = d[k] @ d[k], scatter[k].trace(), scatter[k] @ d[k]
        fourth[k] += 4 * d[k] @ (turned + third[k]) + 2 * length * spread + counts[k] * length**2
        third[k] += 2 * turned + (spread + counts[k] * length) * d[k]
        scatter[k].addr_(counts[k] * d[k], d[k])
    return ClassMoments(counts, means, scatter, third, fourth)


def merge_moments(moments: ClassMoments, total: Callable[[Tensor], Tensor]) -> ClassMoments:
    """Return the moments of all samples, given those of one part, such as one process of a distributed run.

    ``total`` returns the sum of a tensor over the parts, as ``mmpod.utils.distributed.global_sum`` does.
    """
    counts = total(moments.counts)
    means = total(moments.counts.unsqueeze(1) * moments.means) / counts.clamp_min(1).unsqueeze(1)
    moved = _translate_(moments._replace(scatter=moments.scatter.clone()), means)
    third, fourth = (None if part is None else total(part) for part in (moved.third, moved.fourth))
    return ClassMoments(counts, means, total(moved.scatter), third, fourth)

"""From moments to Gaussians: covariances, their shrinkage, what to do without enough samples, and the factors.

The factors go into the upper half of the moments' scatter, whose lower half and diagonal say as much: fitting needs no
second array of K D^2 numbers, and learning can still go on afterwards.
"""

import math
from typing import NamedTuple, Optional, Sequence, Union

import torch
from torch import Tensor

from mmpod.functional.gaussian import factor_covariance
from mmpod.functional.moments import ClassMoments
from mmpod.functional.shrinkage import gaussian_shrinkage, ledoit_wolf_shrinkage, shrink

__all__ = ['Fit', 'fit_gaussians', 'unpack_']

# Doubles in one chunk of covariances, 4 MiB: they are gone through several times, so better in the cache.
MAX_CHUNK = 2**19


class Fit(NamedTuple):
    """What :func:`fit_gaussians` finds besides the factors.

    Attributes:
        log_priors: Shape (K,); -inf for a class without samples.
        shrinkage: Shape (K,), or () for a shared covariance.
        pivots: Shape (K, D) or (D,), see :func:`~mmpod.functional.gaussian.factor_covariance`.
        fallback: Classes that take the shared covariance, shape (F,), int64.
    """

    log_priors: Tensor
    shrinkage: Tensor
    pivots: Tensor
    fallback: Tensor

    def joint(self, distances: Tensor) -> Tensor:
        """Return log prior plus log-density from squared Mahalanobis distances, both of shape (N, K)."""
        volume = self.pivots.log().sum(-1) + self.pivots.shape[-1] * math.log(2 * math.pi)
        return self.log_priors - (distances + volume) / 2


def fit_gaussians(
    moments: ClassMoments,
    covariance: str,
    shrinkage: Union[str, float],
    priors: Optional[Sequence[float]],
    unbiased: Optional[bool],
) -> Fit:
    """Shrink and factor the covariances; the factors go above the diagonals of ``moments.scatter``.

    Raises:
        ValueError: A prior above 0 for a class without samples; no spread within any class; a singular covariance.
    """
    log_priors = _log_priors(moments.counts, priors)
    if covariance == 'shared':
        unit, pivots, intensity = _shared(moments.scatter, moments, shrinkage, bool(unbiased))
        _pack_(moments.scatter, unit)
        return Fit(log_priors, intensity, pivots, moments.counts.new_empty(0, dtype=torch.long))
    return _by_class(moments, log_priors, shrinkage, unbiased is None or unbiased)


def _log_priors(counts: Tensor, priors: Optional[Sequence[float]]) -> Tensor:
    if priors is None:
        return (counts / counts.sum()).log()
    probabilities = counts.new_tensor(priors)
    absent = ((counts == 0) & (probabilities > 0)).nonzero().flatten().tolist()
    if absent:
        raise ValueError(
            f'Expected samples of every class with a prior above 0, but got none of classes {absent}. Set their priors '
            'to 0, or leave `priors` out.'
        )
    return probabilities.log()


def _divisor(counts: Tensor, unbiased: bool) -> Tensor:
    return (counts - 1 if unbiased else counts).clamp_min(1)


def _rounding(moments: ClassMoments) -> Tensor:
    """Return the trace of the scatter that copies of one sample would show, by class, shape (K,)."""
    return moments.counts * (64 * torch.finfo(torch.float64).eps * moments.means).square().sum(dim=1)


def _shared(
    scatter: Tensor, moments: ClassMoments, shrinkage: Union[str, float], unbiased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return factor, pivots and shrinkage of the covariance about the class means."""
    counts = moments.counts
    degrees = (counts.sum() - (counts > 0).sum()).clamp_min(0)
    if scatter.diagonal().sum() <= _rounding(moments).sum():
        raise ValueError(
            'Expected at least one class whose samples differ, but got none: there is no spread to estimate a '
            'covariance from. Fit on more samples a class.'
        )
    if shrinkage == 'auto':
        intensity = gaussian_shrinkage(scatter, degrees)
    else:
        intensity = scatter.new_tensor(shrinkage)
    divisor = degrees if unbiased else counts.sum()
    unit, pivots, regular = factor_covariance(shrink(scatter / divisor, intensity))
    if not regular:
        constant = (scatter.diagonal() == 0).nonzero().flatten().tolist()
        raise ValueError(
            f'Expected a covariance that can be inverted, but got a singular one ({len(constant)} of {len(scatter)} '
            f"dimensions are constant, {int(degrees)} degrees of freedom). Set `shrinkage` above 0, or 'auto'."
        )
    return unit, pivots, intensity


def _by_class(moments: ClassMoments, log_priors: Tensor, shrinkage: Union[str, float], unbiased: bool) -> Fit:
    counts, scatter = moments.counts, moments.scatter
    num_classes, dim = moments.means.shape
    pooled = scatter.sum(dim=0)
    pivots, intensities = torch.ones_like(moments.means), torch.zeros_like(counts)
    regular = torch.zeros_like(counts, dtype=torch.bool)
    step = max(1, MAX_CHUNK // dim**2)
    for part in (slice(start, start + step) for start in range(0, num_classes, step)):
        if shrinkage == 'auto':
            intensities[part] = ledoit_wolf_shrinkage(scatter[part], moments.fourth[part], counts[part])
        else:
            intensities[part] = shrinkage
        divisor = _divisor(counts[part], unbiased)
        own = shrink(scatter[part] / divisor[:, None, None], intensities[part])
        unit, pivots[part], regular[part] = factor_covariance(own)
        # A factorisation that failed may hold anything.
        _pack_(scatter[part], torch.where(regular[part, None, None], unit, 0))

    present = log_priors.isfinite()
    spread = scatter.diagonal(dim1=1, dim2=2).sum(1) > _rounding(moments)
    if shrinkage != 'auto' and (present & spread & ~regular).any():
        classes = (present & spread & ~regular).nonzero().flatten()
        raise ValueError(
            f'Expected covariances that can be inverted, but got singular ones for classes {classes.tolist()} with '
            f"{counts[classes].long().tolist()} samples in {dim} dimensions. Set `shrinkage` above 0, or 'auto', or "
            "covariance='shared'."
        )
    fallback = (present & ~(spread & regular)).nonzero().flatten()
    if len(fallback):
        unit, shared_pivots, intensity = _shared(pooled, moments, shrinkage, unbiased)
        for k in fallback.tolist():
            _pack_(scatter[k], unit)
        pivots[fallback], intensities[fallback] = shared_pivots, intensity
    pivots[~present] = 1
    return Fit(log_priors, intensities, pivots, fallback)


def _pack_(scatter: Tensor, unit: Tensor) -> None:
    """Write the factor strictly above the diagonal of the scatter."""
    above = torch.ones(scatter.shape[-2:], dtype=torch.bool, device=scatter.device).triu(1)
    torch.where(above, unit, scatter, out=scatter)


def unpack_(scatter: Tensor) -> None:
    """Make the scatter symmetric again, from its lower half."""
    for matrix in scatter.view(-1, *scatter.shape[-2:]):
        matrix.copy_(matrix.tril() + matrix.tril(-1).T)

"""Fit Gaussians to moments: covariances, shrinkage, classes with too few samples, and factors."""

import math
import warnings
from typing import Any, NamedTuple, Optional, Sequence, Union

import torch
from torch import Tensor

from mmpod.functional.gaussian import cholesky_factor, most_probable, squared_distances, whitening_factor
from mmpod.functional.moments import ClassMoments
from mmpod.functional.shrinkage import gaussian_shrinkage, ledoit_wolf_shrinkage, shrink
from mmpod.utils.checks import check_choice, check_flag, check_number

__all__ = ['Gaussians', 'check_not_merged', 'check_settings', 'covariances', 'fit_gaussians']

# Float64 numbers per chunk of covariances, 4 MiB: they are read several times, so they should fit in the cache.
MAX_CHUNK = 2**19


class Gaussians(NamedTuple):
    r"""K Gaussians with priors, in coordinates that make prediction fast.

    With a covariance per class, the features are rotated so that the class means differ most in the first coordinates,
    relative to the shared covariance. These suffice to rule out most classes, see
    :func:`~mmpod.functional.gaussian.most_probable`. With a shared covariance, the coordinates are whitened features.

    Attributes:
        log_priors: Shape (K,); -inf for a class of prior 0, such as one without samples.
        shrinkage: Shape (K,), or () for a shared covariance.
        fallback: Classes that use the shared covariance, shape (F,), int64.
        centre: Origin of the coordinates, shape (D,).
        basis: Directions of the coordinates, shape (D, D); orthonormal with a covariance per class.
        means: Class means in these coordinates, shape (K, D).
        whitening: Inverse Cholesky factors in these coordinates, shape (K, D, D); None if classes share one covariance.
        log_offsets: The joint log-density at the mean, shape (K,).
    """

    log_priors: Tensor
    shrinkage: Tensor
    fallback: Tensor
    centre: Tensor
    basis: Tensor
    means: Tensor
    whitening: Optional[Tensor]
    log_offsets: Tensor

    def to(self, device: torch.device) -> 'Gaussians':
        """Return a copy on a device."""
        parts: Any = (part if part is None else part.to(device) for part in self)
        return Gaussians(*parts)

    def _coordinates(self, features: Tensor) -> Tensor:
        return (features.double() - self.centre) @ self.basis

    def predict(self, features: Tensor) -> Tensor:
        """Return the most probable classes, shape (N,), int64."""
        if self.whitening is not None:
            return most_probable(self._coordinates(features), self.means, self.whitening, self.log_offsets)
        offsets = self.log_offsets - self.means.square().sum(dim=1) / 2  # x squared is the same for all classes
        return torch.addmm(offsets, features.double() - self.centre, self.basis @ self.means.T).argmax(dim=1)

    def distances(self, features: Tensor) -> Tensor:
        """Return squared Mahalanobis distances, shape (N, K); infinite for a class of prior 0."""
        distances = squared_distances(self._coordinates(features), self.means, self.whitening)
        return distances.masked_fill(self.log_priors.isneginf(), math.inf)

    def joint(self, distances: Tensor) -> Tensor:
        """Return log prior plus log-density from squared Mahalanobis distances, both of shape (N, K)."""
        return self.log_offsets - distances / 2


def fit_gaussians(
    moments: ClassMoments,
    covariance: str,
    shrinkage: Union[str, float],
    priors: Optional[Sequence[float]],
    unbiased: bool,
) -> Gaussians:
    """Shrink and factor the covariances; see ``GaussianDiscriminantAnalysis`` for the arguments."""
    counts, scatter, dim = moments.counts, moments.scatter, moments.means.shape[1]
    by_class = covariance == 'class'
    log_priors = _log_priors(counts, priors)
    # For copies of one sample, the trace of the scatter is not zero but of the order of rounding errors.
    rounding = counts * (64 * torch.finfo(torch.float64).eps * moments.means).square().sum(dim=1)
    pooled = scatter.sum(dim=0) if by_class else scatter
    shared, shared_factor, intensity = _fit_shared(pooled, counts, rounding, shrinkage, unbiased)
    root, centre = whitening_factor(shared_factor), log_priors.exp() @ moments.means
    centred = moments.means - centre
    constant = log_priors - dim / 2 * math.log(2 * math.pi)
    if not by_class:
        log_offsets = constant + root.diagonal().log().sum()
        fallback = counts.new_empty(0).long()
        return Gaussians(log_priors, intensity, fallback, centre, root.T, centred @ root.T, None, log_offsets)

    spread = log_priors.exp().sqrt().unsqueeze(1) * (centred @ root.T)
    # Principal directions of the whitened class means, made orthogonal in the space of the features.
    basis = torch.linalg.qr(root.T @ torch.linalg.eigh(spread.T @ spread)[1].flip(1))[0]

    intensities, regular = torch.zeros_like(counts), torch.zeros_like(counts, dtype=torch.bool)
    whitening = torch.empty_like(scatter)
    step = max(1, MAX_CHUNK // dim**2)
    for part in (slice(start, start + step) for start in range(0, len(counts), step)):
        if isinstance(shrinkage, str):
            assert moments.fourth is not None
            intensities[part] = ledoit_wolf_shrinkage(scatter[part], moments.fourth[part], counts[part])
        else:
            intensities[part] = shrinkage
        own = _class_covariances(scatter[part], counts[part], intensities[part], unbiased)
        factor, regular[part] = cholesky_factor(basis.T @ own @ basis)
        whitening[part] = whitening_factor(factor)

    present = log_priors.isfinite()
    own_spread = scatter.diagonal(dim1=1, dim2=2).sum(1) > rounding
    singular = (present & own_spread & ~regular).nonzero().flatten()
    if shrinkage != 'auto' and len(singular):
        raise ValueError(
            f'Expected invertible covariances, but got singular ones for classes {singular.tolist()} with '
            f"{counts[singular].long().tolist()} samples in {dim} dimensions. Set `shrinkage` above 0, or 'auto', or "
            "covariance='shared'."
        )
    usable = present & own_spread & regular
    fallback = (present & ~usable).nonzero().flatten()
    if len(fallback):
        warnings.warn(
            f'Classes {fallback.tolist()} have too few different samples for their own covariance and use the '
            'shared one.',
            stacklevel=4,
        )
    intensities[fallback] = intensity
    if not usable.all():
        whitening[~usable] = whitening_factor(torch.linalg.cholesky(basis.T @ shared @ basis))
    log_offsets = constant + whitening.diagonal(dim1=1, dim2=2).log().sum(1)
    return Gaussians(log_priors, intensities, fallback, centre, basis, centred @ basis, whitening, log_offsets)


def check_not_merged(merged: bool) -> None:
    """Refuse to add samples to, or to merge again, a fit that has been merged over the processes."""
    if merged:
        raise ValueError('Expected all samples before `merge_processes`: those merged would count once per process.')


def check_settings(covariance: Any, shrinkage: Any, priors: Optional[Sequence[float]], unbiased: Any) -> None:
    """Refuse settings of ``GaussianDiscriminantAnalysis`` that have a wrong type or are out of range."""
    check_choice('covariance', covariance, ['class', 'shared'])
    if isinstance(shrinkage, str):
        check_choice('shrinkage', shrinkage, ['auto'])
    else:
        check_number('shrinkage', shrinkage, 0, 1)
    check_flag('unbiased', unbiased)
    if priors is None:
        return
    try:
        numbers = [float(prior) for prior in priors]
    except (TypeError, ValueError) as error:
        raise TypeError(
            f'Expected `priors` to be K numbers, or None for the frequencies of the classes, but got {priors!r}.'
        ) from error
    if not (all(number >= 0 for number in numbers) and abs(sum(numbers) - 1) <= 1e-6):
        raise ValueError(f'Expected `priors` to be at least 0 and to add up to 1, but got {tuple(priors)}.')


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


def covariances(moments: ClassMoments, gaussians: Gaussians, unbiased: bool) -> Tensor:
    """Return the shrunk covariances of fitted Gaussians, shape (K, D, D), or (D, D) if they share one."""
    counts, scatter, shrinkage = moments.counts, moments.scatter, gaussians.shrinkage
    if gaussians.whitening is None:
        return _shared_covariance(scatter, counts, shrinkage, unbiased)
    result, fallback = _class_covariances(scatter, counts, shrinkage, unbiased), gaussians.fallback
    if len(fallback):
        result[fallback] = _shared_covariance(scatter.sum(dim=0), counts, shrinkage[fallback[0]], unbiased)
    return result


def _class_covariances(scatter: Tensor, counts: Tensor, intensities: Tensor, unbiased: bool) -> Tensor:
    divisors = (counts - 1 if unbiased else counts).clamp_min(1)
    return shrink(scatter / divisors[:, None, None], intensities)


def _shared_covariance(scatter: Tensor, counts: Tensor, intensity: Tensor, unbiased: bool) -> Tensor:
    return shrink(scatter / (_degrees(counts) if unbiased else counts.sum()), intensity)


def _degrees(counts: Tensor) -> Tensor:
    """Return the number of samples minus the number of estimated means."""
    return (counts.sum() - (counts > 0).sum()).clamp_min(0)


def _fit_shared(
    scatter: Tensor, counts: Tensor, rounding: Tensor, shrinkage: Union[str, float], unbiased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the shared covariance, its Cholesky factor and its shrinkage."""
    degrees = _degrees(counts)
    if scatter.diagonal().sum() <= rounding.sum():
        raise ValueError(
            'Expected at least one class whose samples differ, but got none: there is no spread to estimate a '
            'covariance from. Fit on more samples per class.'
        )
    intensity = gaussian_shrinkage(scatter, degrees) if shrinkage == 'auto' else scatter.new_tensor(shrinkage)
    covariance = _shared_covariance(scatter, counts, intensity, unbiased)
    factor, regular = cholesky_factor(covariance)
    if not regular:
        constant = int((scatter.diagonal() == 0).sum())
        raise ValueError(
            f'Expected an invertible covariance, but got a singular one ({constant} of {len(scatter)} '
            f"dimensions are constant, {int(degrees)} degrees of freedom). Set `shrinkage` above 0, or 'auto'."
        )
    return covariance, factor, intensity

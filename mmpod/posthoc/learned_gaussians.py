"""The learning half of Gaussian discriminant analysis: moments from batches, and what is fitted to them."""

import warnings
from typing import Optional, Sequence, Union

import torch
from torch import Tensor

from mmpod.functional.moments import ClassMoments, accumulate_, empty_moments, sum_over_processes_
from mmpod.utils.checks import check_integer

from .arrays import Array, as_features, as_labels
from .fitting import Fit, fit_gaussians, unpack_
from .pruning import Projection

__all__ = ['ROWS', 'LearnedGaussians']

# Rows taken at once: their residuals, in float64, are all that is needed beside the moments.
ROWS = 8192


class LearnedGaussians:
    """Base of :class:`~mmpod.posthoc.GaussianDiscriminantAnalysis`, which has the settings and predicts.

    One array holds the scatter while samples come in and, once something is asked of the fit, the factors made of it;
    more samples turn it back.
    """

    covariance: str
    shrinkage: Union[str, float]
    priors: Optional[Sequence[float]]
    unbiased: Optional[bool]
    _moments: Optional[ClassMoments]
    _fit: Optional[Fit]
    _projection: Optional[Projection]

    def fit(self, features: Array, labels: Array, num_classes: Optional[int] = None) -> 'LearnedGaussians':
        """Learn from these samples only, whatever was seen before.

        Args:
            features: Shape (N, D).
            labels: Shape (N,), integers in [0, K).
            num_classes: K; by default the largest label plus 1.

        Returns:
            self.

        Raises:
            TypeError: ``features``, ``labels`` or ``num_classes`` are no numbers of the right kind.
            ValueError: Shapes that do not fit, NaN or infinity, a label out of range, or a singular covariance.
        """
        if num_classes is not None:
            check_integer('num_classes', num_classes, 1)
        features = as_features(features)
        labels = as_labels(labels, features, num_classes)
        self._moments = self._fit = self._projection = None
        order = labels.argsort()  # so that each class is in as few of the chunks as possible
        for rows in order.split(ROWS):
            self._add(features[rows], labels[rows], num_classes or int(labels.max()) + 1)
        self._require_fit()
        return self

    def partial_fit(self, features: Array, labels: Array, num_classes: Optional[int] = None) -> 'LearnedGaussians':
        """Learn from a batch in addition; the order and the sizes of the batches make no difference.

        Args:
            features: Shape (N, D); N may be 0.
            labels: Shape (N,), integers in [0, K).
            num_classes: K, needed with the first batch.

        Returns:
            self.

        Raises:
            TypeError: ``features`` or ``labels`` are no numbers of the right kind.
            ValueError: Shapes that do not fit each other or earlier batches, NaN or infinity, a label out of range.
        """
        if num_classes is not None:
            check_integer('num_classes', num_classes, 1)
        known = None if self._moments is None else len(self._moments.counts)
        if known is None and num_classes is None:
            raise ValueError('Expected `num_classes` with the first batch, but got none: a batch may lack classes.')
        if known is not None and num_classes not in (None, known):
            raise ValueError(f'Expected `num_classes` to be {known}, as in the batches before, but got {num_classes}.')
        features = as_features(features, None if known is None else self._moments.means.shape[1], minimum=0)
        labels = as_labels(labels, features, known or num_classes)
        for rows, classes in zip(features.split(ROWS), labels.split(ROWS)):
            self._add(rows, classes, known or num_classes)
        return self

    def _add(self, features: Tensor, labels: Tensor, num_classes: int) -> None:
        if self._moments is None:
            if self.priors is not None and len(self.priors) != num_classes:
                raise ValueError(
                    f'Expected `priors` to hold one number for each of {num_classes} classes, but got '
                    f'{len(self.priors)}.'
                )
            by_class = self.covariance == 'class'
            self._moments = empty_moments(num_classes, features.shape[1], by_class, features.device)
        self._reopen()
        self._moments = accumulate_(
            self._moments, *(part.to(self._moments.means.device) for part in (features, labels))
        )

    def _reopen(self) -> None:
        if self._fit is not None:
            unpack_(self._moments.scatter)
            self._fit = self._projection = None

    def merge_processes(self) -> 'LearnedGaussians':
        """Add up what the processes of a distributed run have each learned with :meth:`partial_fit`; a collective."""
        self._require_moments()
        self._reopen()
        self._moments = sum_over_processes_(self._moments)
        return self

    def _require_moments(self) -> ClassMoments:
        if self._moments is None:
            raise ValueError('Expected a fitted GaussianDiscriminantAnalysis, but it has seen no samples: call fit.')
        return self._moments

    def _require_fit(self) -> Fit:
        if self._fit is None:
            moments = self._require_moments()
            try:
                self._fit = fit_gaussians(moments, self.covariance, self.shrinkage, self.priors, self.unbiased)
            except ValueError:
                unpack_(moments.scatter)  # more samples may help
                raise
            if len(self._fit.fallback):
                warnings.warn(
                    f'Classes {self._fit.fallback.tolist()} have too few different samples for a covariance of their '
                    'own and take the shared one.',
                    stacklevel=3,
                )
        return self._fit

    @property
    def counts_(self) -> Tensor:
        """Samples of each class, shape (K,)."""
        return self._require_moments().counts.long()

    @property
    def means_(self) -> Tensor:
        """Class means, shape (K, D)."""
        return self._require_moments().means

    @property
    def priors_(self) -> Tensor:
        """Class priors, shape (K,)."""
        return self._require_fit().log_priors.exp()

    @property
    def shrinkage_(self) -> Union[Tensor, float]:
        """The shrinkage used, shape (K,) or a number."""
        shrinkage = self._require_fit().shrinkage
        return shrinkage if self.covariance == 'class' else shrinkage.item()

    @property
    def fallback_(self) -> Tensor:
        """Classes that took the shared covariance."""
        return self._require_fit().fallback

    @property
    def covariance_(self) -> Tensor:
        """The shrunk covariances, shape (K, D, D) or (D, D)."""
        fit, scatter = self._require_fit(), self._moments.scatter
        unit = scatter.triu(1) + torch.eye(scatter.shape[-1]).to(scatter)
        return unit.mT @ (fit.pivots.unsqueeze(-1) * unit)

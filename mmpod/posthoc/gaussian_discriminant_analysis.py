"""Gaussian discriminant analysis of features, Table VII of arXiv 2111.15449 v1."""

import math
import warnings
from pathlib import Path
from typing import Callable, Optional, Sequence, Union

import torch
from torch import Tensor

from mmpod.functional.checks import check_choice, check_integer, check_number
from mmpod.functional.gaussian import squared_distances
from mmpod.functional.moments import ClassMoments, accumulate_, empty_moments, sum_over_processes_

from .arrays import Array, as_features, as_labels, in_kind_of
from .fitting import Fit, fit_gaussians, unpack_
from .model_file import read_model, write_model
from .pruning import Projection, prune_and_classify

__all__ = ['GaussianDiscriminantAnalysis']

# Rows taken at once: their residuals, in float64, are all that is needed beside the moments.
ROWS = 8192


class GaussianDiscriminantAnalysis:
    r"""Classify by the largest :math:`\log \pi_k + \log N(x; m_k, \Sigma_k)`: one Gaussian a class.

    Everything is computed in float64 from streamed moments. They take K D^2 numbers for ``'class'`` and D^2 for
    ``'shared'``, however many samples there are, and what is fitted is stored in the same array.

    - A class without samples has the prior 0 and is never predicted.
    - With ``'class'``, a class without spread (one sample, or copies of one) takes the shared covariance; with
      ``shrinkage='auto'`` so does any class whose shrunk covariance is singular (two samples). A warning names them.

    Args:
        covariance: ``'class'``, one covariance a class (quadratic discriminant analysis), or ``'shared'``, one about
            the class means for all (linear discriminant analysis).
        shrinkage: Weight in [0, 1] of the scaled identity :math:`\mathrm{tr}(\Sigma)/D\;I`, or ``'auto'``: the
            intensity of Ledoit and Wolf for each class, and its form for Gaussian data for a shared covariance, see
            :mod:`mmpod.functional.shrinkage`. With 1 and equal priors, ``'shared'`` is the nearest class mean, and so
            is ``'class'`` where the classes have the same variance in total.
        priors: K probabilities that add up to 1; by default the shares of the samples.
        unbiased: Divide the scatter by n_k - 1 (``'class'``) or N - K (``'shared'``) instead of n_k or N. By default
            True for ``'class'`` and False for ``'shared'``, as scikit-learn had it up to 1.7; from 1.8 its QDA divides
            by n_k.

    Attributes:
        notes: What :meth:`save` kept with a model that was loaded, else empty.
        counts_: Samples of each class, shape (K,).
        means_: Class means, shape (K, D); zero for a class without samples.
        priors_: Shape (K,).
        shrinkage_: The intensities used: shape (K,) for ``'class'``, a number for ``'shared'``.
        covariance_: The shrunk covariances, shape (K, D, D) or (D, D): a copy, made on each access.
        fallback_: Classes that took the shared covariance, ascending, shape (F,).

    Raises:
        TypeError: An argument has a wrong type.
        ValueError: An argument is out of range.

    Example:
        >>> features, labels = torch.randn(60, 4), torch.arange(60) % 3
        >>> features[labels == 1] += 10
        >>> gda = GaussianDiscriminantAnalysis(covariance='shared').fit(features, labels)
        >>> gda.predict(torch.full((1, 4), 9.))
        tensor([1])
    """

    def __init__(
        self,
        covariance: str = 'class',
        shrinkage: Union[str, float] = 'auto',
        priors: Optional[Sequence[float]] = None,
        unbiased: Optional[bool] = None,
    ):
        check_choice('covariance', covariance, ['class', 'shared'])
        if isinstance(shrinkage, str):
            check_choice('shrinkage', shrinkage, ['auto'])
        else:
            check_number('shrinkage', shrinkage, 0, 1)
        if unbiased is not None and not isinstance(unbiased, bool):
            raise TypeError(f'Expected `unbiased` to be True, False or None, but got {unbiased!r}.')
        self.covariance = covariance
        self.shrinkage = shrinkage
        self.priors = None if priors is None else tuple(float(prior) for prior in priors)
        self.unbiased = unbiased
        if self.priors is not None and (min(self.priors) < 0 or abs(sum(self.priors) - 1) > 1e-6):
            raise ValueError(f'Expected `priors` to be at least 0 and to add up to 1, but got {self.priors}.')
        self._moments: Optional[ClassMoments] = None
        self._fit: Optional[Fit] = None
        self._projection: Optional[Projection] = None
        self.notes: dict = {}

    def fit(self, features: Array, labels: Array, num_classes: Optional[int] = None) -> 'GaussianDiscriminantAnalysis':
        """Learn from these samples only, whatever was seen before.

        Args:
            features: Shape (N, D).
            labels: Shape (N,), integers in [0, K).
            num_classes: K; by default the largest label plus 1.

        Returns:
            GaussianDiscriminantAnalysis: self.

        Raises:
            TypeError: ``features`` or ``labels`` are no numbers of the right kind.
            ValueError: Shapes that do not fit, NaN or infinity, a label out of range, or a singular covariance.
        """
        features = as_features(features)
        labels = as_labels(labels, features, num_classes)
        self._moments = self._fit = self._projection = None
        order = labels.argsort()  # so that each class is in as few of the chunks as possible
        for rows in order.split(ROWS):
            self._add(features[rows], labels[rows], num_classes or int(labels.max()) + 1)
        self._require_fit()
        return self

    def partial_fit(
        self, features: Array, labels: Array, num_classes: Optional[int] = None
    ) -> 'GaussianDiscriminantAnalysis':
        """Learn from a batch in addition; the order and the sizes of the batches make no difference.

        Args:
            features: Shape (N, D); N may be 0.
            labels: Shape (N,), integers in [0, K).
            num_classes: K, needed with the first batch.

        Returns:
            GaussianDiscriminantAnalysis: self.

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

    def merge_processes(self) -> 'GaussianDiscriminantAnalysis':
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

    def _rows(self, features: Array) -> tuple[Tensor, Fit]:
        """Return the rows, checked, and the fit, on the device of the rows."""
        self._require_moments()
        rows = as_features(features, self._moments.means.shape[1])
        if rows.device != self._moments.means.device:
            self._moments = ClassMoments(*(part if part is None else part.to(rows.device) for part in self._moments))
            self._projection = None
            if self._fit is not None:
                self._fit = Fit(*(part.to(rows.device) for part in self._fit))
        return rows, self._require_fit()

    def _distances(self, rows: Tensor, fit: Fit) -> Tensor:
        distances = squared_distances(rows.double(), self._moments.means, self._moments.scatter, fit.pivots)
        return distances.masked_fill(fit.log_priors.isneginf(), math.inf)

    def _joint(self, rows: Tensor, fit: Fit) -> Tensor:
        return fit.joint(self._distances(rows, fit))

    def predict(self, features: Array) -> Array:
        """Return the most probable class of each sample, shape (N,), int64, as tensor or array like ``features``.

        With ``'class'``, densities that cannot be the largest are not computed to the end, see
        :mod:`mmpod.posthoc.pruning`; the result is the same.
        """
        rows, fit = self._rows(features)
        if self.covariance == 'shared':
            linear = _linear_discriminant(self._moments, fit)
            parts = [linear(part.double()).argmax(dim=1) for part in rows.split(ROWS)]
        else:
            if self._projection is None:
                self._projection = Projection.of(self._moments, fit)
            parts = [prune_and_classify(part, self._moments, fit, self._projection) for part in rows.split(2 * ROWS)]
        return in_kind_of(features, torch.cat(parts))

    def predict_log_proba(self, features: Array) -> Array:
        """Return the log of the posterior probabilities, shape (N, K), float64; -inf for a class without samples."""
        rows, fit = self._rows(features)
        return in_kind_of(features, torch.cat([self._joint(part, fit).log_softmax(1) for part in rows.split(ROWS)]))

    def predict_joint(self, features: Array) -> tuple[Array, Array]:
        r"""Return :math:`\log \pi_k + \log N(x; m_k, \Sigma_k)` and the squared Mahalanobis distances it comes from.

        Returns:
            tuple[Array, Array]: Both of shape (N, K), float64; -inf and infinity for a class without samples.
        """
        distances = self.mahalanobis(features)
        return in_kind_of(features, self._require_fit().joint(torch.as_tensor(distances))), distances

    def mahalanobis(self, features: Array) -> Array:
        """Return the squared Mahalanobis distances to the class means, shape (N, K), float64.

        The distance to a class without samples is infinite.
        """
        rows, fit = self._rows(features)
        return in_kind_of(features, torch.cat([self._distances(part, fit) for part in rows.split(ROWS)]))

    def score_samples(self, features: Array) -> Array:
        """Return the log-density of each sample under the mixture of all classes, shape (N,), float64."""
        rows, fit = self._rows(features)
        return in_kind_of(features, torch.cat([self._joint(part, fit).logsumexp(1) for part in rows.split(ROWS)]))

    def save(self, path: Union[str, Path], notes: Optional[dict] = None) -> None:
        """Write the model to a NumPy archive (.npz) without pickled objects, whole or not at all.

        Args:
            path: The file.
            notes: JSON data to keep with it, such as where the features came from; :attr:`notes` after loading.
        """
        fit = self._require_fit()
        settings = dict(
            covariance=self.covariance, shrinkage=self.shrinkage, priors=self.priors, unbiased=self.unbiased
        )
        write_model(Path(path), settings, self._moments, fit, notes or {})

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'GaussianDiscriminantAnalysis':
        """Return the model that :meth:`save` wrote; it can go on learning.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is none of these, or damaged.
        """
        settings, moments, fit, notes = read_model(Path(path))
        model = cls(**settings)
        model._moments, model._fit, model.notes = moments, fit, notes
        return model


def _linear_discriminant(moments: ClassMoments, fit: Fit) -> Callable[[Tensor], Tensor]:
    """Return the function of rows (N, D) that gives log prior plus log-density (N, K) up to a term of the row alone.

    With one covariance the squares of x cancel, and D operations a class remain.
    """
    middle = moments.means.mean(dim=0)
    means = moments.means - middle
    root = moments.scatter.triu(1) + torch.eye(len(moments.scatter)).to(moments.scatter)
    whitened = torch.linalg.solve_triangular(root, means, upper=True, left=False) / fit.pivots
    weights = torch.linalg.solve_triangular(root.T, whitened, upper=False, left=False)
    offsets = fit.log_priors - (means * weights).sum(dim=1) / 2
    return lambda rows: torch.addmm(offsets, rows - middle, weights.T)

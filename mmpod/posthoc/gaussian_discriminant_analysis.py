"""Gaussian discriminant analysis of features, Table VII of arXiv 2111.15449 v1."""

import math
from pathlib import Path
from typing import Callable, Optional, Sequence, Union

import torch
from torch import Tensor

from mmpod.functional.gaussian import squared_distances
from mmpod.functional.moments import ClassMoments
from mmpod.utils.checks import check_choice, check_number

from .arrays import Array, as_features, in_kind_of
from .fitting import Fit
from .learned_gaussians import ROWS, LearnedGaussians
from .model_file import read_model, write_model
from .pruning import Projection, prune_and_classify

__all__ = ['GaussianDiscriminantAnalysis']


class GaussianDiscriminantAnalysis(LearnedGaussians):
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
        if self.priors is not None and not (all(p >= 0 for p in self.priors) and abs(sum(self.priors) - 1) <= 1e-6):
            raise ValueError(f'Expected `priors` to be at least 0 and to add up to 1, but got {self.priors}.')
        self._moments: Optional[ClassMoments] = None
        self._fit: Optional[Fit] = None
        self._projection: Optional[Projection] = None
        self.notes: dict = {}

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
            parts = [prune_and_classify(part, self._projection) for part in rows.split(4 * ROWS)]
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

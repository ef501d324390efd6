"""Gaussian discriminant analysis of features, Table VII of arXiv 2111.15449 v1."""

import json
from pathlib import Path
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from mmpod.functional.moments import ClassMoments, accumulate_, empty_moments, merge_moments
from mmpod.posthoc.arrays import Array, ArrayT, as_features, as_labels
from mmpod.utils.checks import check_integer
from mmpod.utils.distributed import global_sum, world_size
from mmpod.utils.files import replaced

from .fitting import Gaussians, check_not_merged, check_settings, covariances, fit_gaussians

__all__ = ['GaussianDiscriminantAnalysis']

ROWS = 8192  # predicted together, in float64
FORMAT = 'mmpod.GaussianDiscriminantAnalysis 2'


class GaussianDiscriminantAnalysis:
    r"""Classify by the largest :math:`\log \pi_k + \log N(x; m_k, \Sigma_k)`: one Gaussian per class.

    Everything is computed in float64 from streamed moments. Moments and Gaussians take K D^2 numbers each for
    ``'class'`` and D^2 for ``'shared'``, with any number of samples. Several threads may predict concurrently.

    - A class of prior 0, such as one without samples, is never predicted; its distance is infinite.
    - With ``'class'``, a class with one sample or copies of one uses the shared covariance. With ``shrinkage='auto'``,
      this also applies to any class whose shrunk covariance is singular (two samples). A warning names these classes.

    Args:
        covariance: ``'class'``, one covariance per class (quadratic discriminant analysis), or ``'shared'``, one about
            the class means for all (linear discriminant analysis).
        shrinkage: Weight in [0, 1] of the scaled identity :math:`\mathrm{tr}(\Sigma)/D\;I`, or ``'auto'``: the
            intensity of Ledoit and Wolf for each class, and its form for Gaussian data for a shared covariance, see
            :mod:`mmpod.functional.shrinkage`. With 1 and equal priors, ``'shared'`` predicts the nearest class mean;
            ``'class'`` predicts it too if all classes have the same total variance.
        priors: K probabilities that add up to 1; by default the class frequencies.
        unbiased: Divide the scatter by n_k - 1 (``'class'``) or N - K (``'shared'``) instead of n_k or N. By default
            the covariances are those of scikit-learn: its LDA, and its QDA from version 1.8 on.

    Attributes:
        notes: JSON data that :meth:`save` stored with a loaded model, otherwise empty.

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
        unbiased: bool = False,
    ):
        check_settings(covariance, shrinkage, priors, unbiased)
        self.covariance = covariance
        self.shrinkage = shrinkage
        self.priors = None if priors is None else tuple(float(prior) for prior in priors)
        self.unbiased = unbiased
        self.notes: dict = {}
        self._merged = False
        # Moments and, once needed, the Gaussians fitted to them, by device. They are not changed in place; both are
        # replaced together, so that other threads, and calls after an interrupt, never see one without the other.
        self._learned: Optional[tuple[ClassMoments, dict[torch.device, Gaussians]]] = None

    def fit(self, features: Array, labels: Any, num_classes: Optional[int] = None) -> 'GaussianDiscriminantAnalysis':
        """Fit to these samples only.

        Args:
            features: Shape (N, D).
            labels: Shape (N,), integers in [0, K).
            num_classes: K; by default the largest label plus 1.

        Raises:
            ValueError: Shapes that do not match, NaN or infinity, a label out of range, or a singular covariance.
        """
        features = as_features(features)
        if num_classes is None:
            num_classes = int(as_labels(labels, features, None).max()) + 1
        fitted = GaussianDiscriminantAnalysis(**self._settings).partial_fit(features, labels, num_classes)
        fitted._gaussians()
        self._learned, self._merged = fitted._learned, False
        return self

    def partial_fit(
        self, features: Array, labels: Any, num_classes: Optional[int] = None
    ) -> 'GaussianDiscriminantAnalysis':
        """Add a batch to the fit; the order and the sizes of the batches make no difference.

        Each call copies the moments, and the next prediction factors all covariances: large batches are faster.

        Args:
            features, labels: As in :meth:`fit`; N may be 0.
            num_classes: K, needed with the first batch.

        Raises:
            ValueError: As in :meth:`fit`, or K is missing or differs.
        """
        check_not_merged(self._merged)
        moments = None if self._learned is None else self._learned[0]
        known, dim = (None, None) if moments is None else moments.means.shape
        num_classes = known if num_classes is None else num_classes
        if num_classes is None:
            raise ValueError('Expected `num_classes` with the first batch, which may lack classes, but got none.')
        check_integer('num_classes', num_classes, 1)
        if known not in (None, num_classes):
            raise ValueError(f'Expected `num_classes` to be {known}, as in earlier batches, but got {num_classes}.')
        features = as_features(features, dim, minimum=0)
        labels = as_labels(labels, features, num_classes)
        if moments is None:
            if self.priors is not None and len(self.priors) != num_classes:
                raise ValueError(f'Expected {num_classes} `priors`, one per class, but got {len(self.priors)}.')
            moments = empty_moments(num_classes, features.shape[1], self.covariance == 'class', features.device)
        else:
            moments = moments._replace(scatter=moments.scatter.clone())
        device = moments.means.device
        self._learned = accumulate_(moments, features.to(device), labels.to(device)), {}
        return self

    def merge_processes(self) -> 'GaussianDiscriminantAnalysis':
        """Merge, once, the fits that the processes of a distributed run made with :meth:`partial_fit`. A collective."""
        if world_size() > 1:
            check_not_merged(self._merged)
            self._learned, self._merged = (merge_moments(self._state[0], global_sum), {}), True
        return self

    @property
    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ('covariance', 'shrinkage', 'priors', 'unbiased')}

    @property
    def _state(self) -> tuple[ClassMoments, dict[torch.device, Gaussians]]:
        if self._learned is None:
            raise ValueError('Expected a fitted GaussianDiscriminantAnalysis, but it has seen no samples. Call fit.')
        return self._learned

    def _gaussians(self, device: Optional[torch.device] = None) -> Gaussians:
        """Return the Gaussians on a device, by default that of the moments."""
        moments, fitted = self._state
        home = moments.means.device
        if home not in fitted:
            fitted[home] = fit_gaussians(moments, **self._settings)
        device = home if device is None else device
        if device not in fitted:
            fitted[device] = fitted[home].to(device)
        return fitted[device]

    def _by_rows(self, features: ArrayT, function: Callable[[Tensor, Gaussians], Tensor]) -> ArrayT:
        """Apply a function of features and Gaussians, and return the same type of array as was given."""
        rows = as_features(features, self._state[0].means.shape[1])
        gaussians = self._gaussians(rows.device)
        result: Any = torch.cat([function(part, gaussians) for part in rows.split(ROWS)])
        return result.numpy() if isinstance(features, np.ndarray) else result

    def predict(self, features: ArrayT) -> ArrayT:
        """Return the most probable class of each sample, shape (N,), int64, of the same array type as ``features``."""
        return self._by_rows(features, lambda rows, g: g.predict(rows))

    def predict_log_proba(self, features: ArrayT) -> ArrayT:
        """Return the log of the posterior probabilities, shape (N, K), float64; -inf for a class of prior 0."""
        return self._by_rows(features, lambda rows, g: g.joint(g.distances(rows)).log_softmax(dim=1))

    def predict_joint(self, features: ArrayT) -> tuple[ArrayT, ArrayT]:
        r"""Return :math:`\log \pi_k + \log N(x; m_k, \Sigma_k)` and :meth:`mahalanobis`, both (N, K), float64."""
        both: Any = self._by_rows(features, lambda rows, g: torch.stack([g.joint(d := g.distances(rows)), d], dim=1))
        return both[:, 0], both[:, 1]

    def mahalanobis(self, features: ArrayT) -> ArrayT:
        """Return squared Mahalanobis distances to the class means, (N, K), float64; infinite for a class of prior 0."""
        return self._by_rows(features, lambda rows, g: g.distances(rows))

    def score_samples(self, features: ArrayT) -> ArrayT:
        """Return the log-density of each sample under the mixture of all classes, shape (N,), float64."""
        return self._by_rows(features, lambda rows, g: g.joint(g.distances(rows)).logsumexp(dim=1))

    @property
    def counts_(self) -> Tensor:
        """Samples per class, shape (K,), int64."""
        return self._state[0].counts.long()

    @property
    def means_(self) -> Tensor:
        """Class means, shape (K, D); zero for a class without samples."""
        return self._state[0].means

    @property
    def priors_(self) -> Tensor:
        """Class priors, shape (K,)."""
        return self._gaussians().log_priors.exp()

    @property
    def shrinkage_(self) -> Union[Tensor, float]:
        """The shrinkage used: shape (K,) for ``'class'``, a number for ``'shared'``."""
        shrinkage = self._gaussians().shrinkage
        return shrinkage if self.covariance == 'class' else shrinkage.item()

    @property
    def fallback_(self) -> Tensor:
        """Classes that use the shared covariance, ascending, shape (F,)."""
        return self._gaussians().fallback

    @property
    def covariance_(self) -> Tensor:
        """The shrunk covariances, shape (K, D, D) or (D, D); computed on each access."""
        return covariances(self._state[0], self._gaussians(), self.unbiased)

    def save(self, path: Union[str, Path], notes: Optional[dict] = None) -> None:
        """Write settings and moments to a NumPy archive (.npz) without pickled objects, atomically.

        ``notes`` is JSON data to store with it, such as where the features came from; loading restores :attr:`notes`.
        """
        self._gaussians()  # raises an error if the model cannot predict
        arrays = {name: part.cpu().numpy() for name, part in self._state[0]._asdict().items() if part is not None}
        header = dict(format=FORMAT, settings=self._settings, notes=notes or {})
        with replaced(Path(path)) as file:
            np.savez(file, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'GaussianDiscriminantAnalysis':
        """Return the model that :meth:`save` wrote, on the CPU; it can be fitted further.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file has another format, or is damaged.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f'Expected a saved model in `{Path(path).absolute()}`, but there is no such file.')
        try:
            with np.load(path, allow_pickle=False) as archive:
                header = json.loads(str(archive['header']))
                if header['format'] != FORMAT:
                    raise ValueError(f'its format is {header["format"]!r}, not {FORMAT!r}')
                model = cls(**header['settings'])
                names = ClassMoments._fields[: 5 if model.covariance == 'class' else 3]
                parts = [torch.from_numpy(archive[name]) for name in names]
            model.notes = dict(header['notes'])
            model._learned = ClassMoments(*parts), {}
            model._gaussians()
        except Exception as error:  # of a damaged file, NumPy, zipfile, zlib and json raise many types
            raise ValueError(f'Expected `{path}` to come from {cls.__name__}.save, but {error}. Fit again.') from error
        return model

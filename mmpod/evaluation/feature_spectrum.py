"""Table IV of arXiv 2111.15449 v1: how evenly the features fill their space."""

from typing import Any, Optional, Sequence

from torch import Tensor

from mmpod.functional import normalize_rows
from mmpod.functional.spectrum import effective_rank, spectrum_variances
from mmpod.registry import METRICS
from mmpod.utils.distributed import check_each_sample_once, global_sum

from .feature_metric import FeatureMetric

__all__ = ['FeatureSpectrum']


@METRICS.register_module()
class FeatureSpectrum(FeatureMetric):
    r"""Measure the second-moment matrix M of the unit-length features of a dataset, from one (D, D) sum in float64.

    - ``eigenvalue_variance_e8``: variance of the eigenvalues of M, in units of 1e-8;
    - ``energy_variance_e8``: variance of the diagonal of M, in units of 1e-8;
    - ``effective_rank``: exponential of the entropy of the spectrum, from 1 to D.

    The paper prints 1.82e-8 (Cosine Loss) and 1.53e-8 (POD Loss) as the "variance of the 2048 dimensions feature
    eigen-vectors (normalized) before the fully connected layer", without naming the dataset; the first two metrics are
    the two possible meanings. Each sample counts once, for any number of processes.

    The features come from ``mmpod.FeaturesHook``, which must be among the hooks of the config.

    Args:
        stage: ``'pooled'``, the backbone's pooled output, or ``'pre_logits'``, the head's features.
        kwargs: Passed to MMEngine's ``BaseMetric``, such as ``prefix``, that of the metrics' names.

    Raises:
        ValueError: While testing: no batch, no features, features with NaN, or a sample counted twice.
    """

    default_prefix = 'spectrum'

    def __init__(self, stage: str = 'pooled', **kwargs: Any):
        super().__init__(stage, **kwargs)
        self._reset()

    def _reset(self) -> None:
        self.moment: Optional[Tensor] = None
        self.count = 0

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add one batch to the sum."""
        features = normalize_rows(self.features(data_samples)[0])
        if self.moment is None:
            self.moment = features.new_zeros(features.shape[1], features.shape[1])
        self.moment.addmm_(features.T, features)
        self.count += len(features)

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the metrics over all processes.

        Args:
            size: Size of the dataset.
        """
        if self.moment is None:
            raise ValueError(f'Expected at least one batch for {type(self).__name__}, but the dataset has none.')
        check_each_sample_once(self.count, size, self.moment.device)
        moment = global_sum(self.moment) / size
        eigenvalues, energies = spectrum_variances(moment)
        metrics = dict(
            eigenvalue_variance_e8=1e8 * eigenvalues.item(),
            energy_variance_e8=1e8 * energies.item(),
            effective_rank=effective_rank(moment).item(),
        )
        self._reset()
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

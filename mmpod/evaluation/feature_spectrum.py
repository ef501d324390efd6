"""Table IV of arXiv 2111.15449 v1: how evenly the features fill their space."""

from typing import Any

from torch import Tensor

from mmpod.functional.moments import ClassMoments
from mmpod.functional.spectrum import effective_rank, spectrum_variances
from mmpod.registry import METRICS

from .feature_geometry import FeatureGeometry

__all__ = ['FeatureSpectrum']


@METRICS.register_module()
class FeatureSpectrum(FeatureGeometry):
    r"""Measure the second-moment matrix M of the unit-length features of a dataset, from sums in float64.

    - ``eigenvalue_variance_e8``: variance of the eigenvalues of M, in units of 1e-8;
    - ``energy_variance_e8``: variance of the diagonal of M, in units of 1e-8;
    - ``effective_rank``: exponential of the entropy of the spectrum, from 1 to D.

    The paper prints 1.82e-8 (Cosine Loss) and 1.53e-8 (POD Loss) as the "variance of the 2048 dimensions feature
    eigen-vectors (normalized) before the fully connected layer", without naming the dataset; the first two metrics are
    the two possible meanings. Each sample counts once, for any number of processes.

    The features come from ``mmpod.FeaturesHook``, which must be among the hooks of the config; the images need labels.

    Args:
        stage: ``'pooled'``, the backbone's pooled output, or ``'pre_logits'``, the head's features.
        kwargs: Passed to MMEngine's ``BaseMetric``.

    Raises:
        ValueError: As in :class:`FeatureGeometry`.
    """

    default_prefix = 'spectrum'

    def __init__(self, stage: str = 'pooled', **kwargs: Any):
        super().__init__(stage, normalize=True, **kwargs)

    def measures(self, moments: ClassMoments, size: int) -> dict[str, Tensor]:
        """Return the measures by name, from the moments over all processes."""
        weighted = moments.counts.unsqueeze(1) * moments.means
        moment = (moments.scatter + weighted.T @ moments.means) / size
        eigenvalues, energies = spectrum_variances(moment)
        return dict(
            eigenvalue_variance_e8=1e8 * eigenvalues,
            energy_variance_e8=1e8 * energies,
            effective_rank=effective_rank(moment),
        )

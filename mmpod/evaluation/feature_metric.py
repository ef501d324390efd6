"""Base of the metrics of features, with access to the features."""

from typing import Any, Optional, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor, nn

from mmpod.models.features import STAGES
from mmpod.utils.checks import check_choice
from mmpod.utils.distributed import owned_by_rank

__all__ = ['FeatureMetric']


class FeatureMetric(BaseMetric):
    """Base class of metrics that measure the features that ``mmpod.FeaturesHook`` takes from the head.

    Args:
        stage: ``'pooled'``, the backbone's pooled output, or ``'pre_logits'``, the head's features.
        kwargs: Passed to MMEngine's ``BaseMetric``, such as ``prefix``, that of the metrics' names.

    Attributes:
        head: The classifier's head, set by the hook.
        batch: Features of the batch to process next, (N, D), set by the hook.

    Raises:
        ValueError: ``stage`` is invalid.
    """

    head: Optional[nn.Module] = None
    batch: Optional[Tensor] = None

    def __init__(self, stage: str, **kwargs: Any):
        super().__init__(**kwargs)
        check_choice('stage', stage, STAGES)
        self.feature_stage = stage

    def features(self, data_samples: Sequence[dict]) -> tuple[Tensor, Tensor]:
        """Return the features of a batch that this process has to count, so that each sample is counted by one process.

        Returns:
            tuple[Tensor, Tensor]: Features (n, D), float64, and a mask of the n among the N samples, (N,), bool.

        Raises:
            ValueError: There are no features, or some are not finite.
        """
        if self.batch is None:
            raise ValueError(
                f'Expected features ({self.feature_stage}) for {type(self).__name__}, but got none. '
                "Add default_hooks=dict(features=dict(type='mmpod.FeaturesHook'))."
            )
        features, self.batch = self.batch.double(), None
        if not torch.isfinite(features).all():
            raise ValueError(
                f'Expected finite features ({self.feature_stage}) for {type(self).__name__}, but got NaN or infinity. '
                'The model has diverged, or half precision has overflowed.'
            )
        counted = owned_by_rank(data_samples).to(features.device)
        return features[counted], counted

    def compute_metrics(self, results: list) -> dict:
        """Not used, because these metrics accumulate sums instead of collecting results."""
        raise NotImplementedError

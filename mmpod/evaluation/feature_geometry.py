"""Neural collapse during training: how features are arranged around class means and prototypes."""

from typing import Any, Optional, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmpod.functional import neural_collapse, normalize_rows, target_and_nontarget_cosines
from mmpod.functional.moments import ClassMoments, accumulate_, empty_moments, merge_moments
from mmpod.models.head_features import STAGES, head_prototypes
from mmpod.registry import METRICS
from mmpod.utils.checks import check_choice, check_label_values, check_labels
from mmpod.utils.distributed import check_each_sample_once, global_sum, owned_by_rank

__all__ = ['FeatureGeometry']


@METRICS.register_module()
class FeatureGeometry(BaseMetric):
    r"""Measure the geometry of a dataset's features from class sums (K, D) and one scatter (D, D) in float64.

    - ``target_cosine``: mean cosine of a feature to the prototype of its class;
    - ``max_nontarget_cosine``: mean over the samples of the largest cosine to another prototype;
    - ``within_between``, ``nc1``, ``nc2_equinorm``, ``nc2_equiangularity``, ``nc2_max_angle``, ``nc3_self_duality``,
      ``effective_rank``: see :func:`~mmpod.functional.neural_collapse`.

    The prototypes are the centroids of ``mmpod.PEDCCHead``, or the class weights of ``mmpod.LearnedPrototypeHead`` or
    mmpretrain's linear heads. For other heads, and for pooled features before a projection, measures that need
    prototypes are left out. Undefined measures are left out, too, such as a ratio if all class means are equal. Classes
    without samples are ignored. Each sample counts once, for any number of processes.

    ``FeaturesHook(geometry=True)`` adds this metric to validation and test. A config that lists the metric itself also
    needs ``mmpod.FeaturesHook`` among its hooks.

    Args:
        stage: ``'pre_logits'``, the features that the head compares with its prototypes, or ``'pooled'``, the
            backbone's pooled output.
        normalize: Scale the features to unit length, as heads that classify by the cosine do. False measures them
            without scaling, as the paper on neural collapse does. The cosines do not depend on it.
        kwargs: Passed to MMEngine's ``BaseMetric``, such as ``prefix`` for the metrics' names.

    Attributes:
        head: The classifier's head, set by the hook.
        batch: Features of the batch to process next, (N, D), set by the hook.

    Raises:
        ValueError: While evaluating: no batch, no features, features with NaN, labels out of range, or a sample counted
            twice.
    """

    default_prefix = 'geometry'
    head: Any = None
    batch: Optional[Tensor] = None

    def __init__(self, stage: str = 'pre_logits', normalize: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        check_choice('stage', stage, STAGES)
        self.feature_stage = stage
        self.normalize = normalize
        self._reset()

    def _reset(self) -> None:
        self.moments: Optional[ClassMoments] = None
        self.prototypes: Optional[Tensor] = None
        self.cosines: Optional[Tensor] = None
        self.count = 0

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add one batch to the sums."""
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
        features, num_classes = features[counted], self.head.num_classes
        labels = torch.cat([sample['gt_label'] for sample in data_samples])
        check_labels(labels, len(data_samples), num_classes)
        check_label_values(labels, num_classes)
        labels = labels.to(features.device)[counted]  # possibly empty
        if self.moments is None:
            self.moments = empty_moments(num_classes, features.shape[1], by_class=False, device=str(features.device))
            self.cosines = features.new_zeros(2)
            # Read them now, because after the epoch the model no longer has the averaged weights (EMA).
            prototypes = head_prototypes(self.head) if self.feature_stage == 'pre_logits' else None
            self.prototypes = None if prototypes is None else prototypes.to(features)
        if self.prototypes is not None:
            cosines = target_and_nontarget_cosines(features, labels, self.prototypes)
            self.cosines += torch.stack([values.sum() for values in cosines])
        self.moments = accumulate_(self.moments, normalize_rows(features) if self.normalize else features, labels)
        self.count += len(features)

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the metrics over all processes, for a dataset of ``size`` samples."""
        if self.moments is None:
            raise ValueError(f'Expected at least one batch for {type(self).__name__}, but the dataset has none.')
        check_each_sample_once(self.count, size, self.cosines.device)
        measures = self.measures(merge_moments(self.moments, global_sum), size)
        self._reset()
        return {f'{self.prefix}/{name}': value.item() for name, value in measures.items()}

    def measures(self, moments: ClassMoments, size: int) -> dict[str, Tensor]:
        """Return the measures by name, from the moments over all processes."""
        measures = neural_collapse(moments, self.prototypes)
        if self.prototypes is None:
            return measures
        target, nontarget = global_sum(self.cosines) / size
        return dict(target_cosine=target, max_nontarget_cosine=nontarget, **measures)

    def compute_metrics(self, results: list) -> dict:
        """Not used, because sums are accumulated instead of results."""
        raise NotImplementedError

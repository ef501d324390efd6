"""Accuracy of the head's own prediction, in addition to that of a classifier fitted on its features."""

from typing import Any, Sequence

from mmpretrain.evaluation.metrics import Accuracy

from mmpod.registry import METRICS

__all__ = ['CosineAccuracy']


@METRICS.register_module()
class CosineAccuracy(Accuracy):
    """mmpretrain's ``Accuracy`` of ``cosine_score``, where ``GDAClassifier`` keeps the scores of its head.

    Args:
        args, kwargs: Passed to ``Accuracy``.

    Raises:
        ValueError: While testing: the predictions have no ``cosine_score``.
    """

    default_prefix = 'cosine'

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Process the scores of one batch."""
        if 'cosine_score' not in data_samples[0]:
            raise ValueError(
                'Expected predictions with `cosine_score`, as GDAClassifier gives them, but got '
                f'{sorted(data_samples[0])}. Use Accuracy for other models.'
            )
        super().process(data_batch, [dict(sample, pred_score=sample['cosine_score']) for sample in data_samples])

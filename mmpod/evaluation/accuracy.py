"""Accuracies of predictions that mmpretrain's ``Accuracy`` cannot read."""

from typing import Any, Sequence

from mmpretrain.evaluation.metrics import Accuracy

from mmpod.registry import METRICS

__all__ = ['CosineAccuracy', 'TopKAccuracy']


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


@METRICS.register_module()
class TopKAccuracy(Accuracy):
    """mmpretrain's ``Accuracy`` for predictions with only the k largest scores.

    For more than 32,768 classes, ``PrototypeHead`` predicts ``topk_score`` and ``topk_label``. Predictions with a
    ``pred_score`` of all classes are evaluated as by ``Accuracy``.

    Args:
        args, kwargs: Passed to ``Accuracy``; ``topk`` must not exceed the number of scores in the predictions.

    Raises:
        ValueError: While testing: ``topk`` exceeds it.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Process the predictions of one batch."""
        stored, needed = len(data_samples[0].get('topk_score', ())), max(self.topk)
        if 0 < stored < needed:
            raise ValueError(
                f'Expected predictions with the {needed} largest scores for topk={self.topk} of TopKAccuracy, but got '
                f'{stored}. Set model.head.topk={self.topk}.'
            )
        super().process(
            data_batch, [_among_topk(sample) if 'topk_score' in sample else sample for sample in data_samples]
        )


def _among_topk(sample: dict) -> dict:
    """Return the sample as if the k predicted classes were the only ones, with the true class renumbered."""
    place = (sample['topk_label'] == sample['gt_label'].to(sample['topk_label'].device)).nonzero().flatten()
    missing = place.new_tensor([len(sample['topk_label'])])  # not among the predictions
    return dict(pred_score=sample['topk_score'], gt_label=place if len(place) else missing)

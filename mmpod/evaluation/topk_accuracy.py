"""Top-k accuracy of models with too many classes to keep all scores."""

from typing import Any, Sequence

from mmpretrain.evaluation.metrics import Accuracy

from mmpod.registry import METRICS

__all__ = ['TopKAccuracy']


@METRICS.register_module()
class TopKAccuracy(Accuracy):
    """mmpretrain's ``Accuracy`` for predictions with only the k largest scores.

    For more than 32,768 classes, ``PrototypeHead`` predicts ``topk_score`` and ``topk_label``. Predictions with a
    ``pred_score`` of all classes are evaluated as by ``Accuracy``.

    Args:
        args, kwargs: Passed to ``Accuracy``; ``topk`` must not exceed the number of scores in the predictions.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Process the predictions of one batch."""
        super().process(
            data_batch, [_among_topk(sample) if 'topk_score' in sample else sample for sample in data_samples]
        )


def _among_topk(sample: dict) -> dict:
    """Return the sample as if the k predicted classes were the only ones, with the true class renumbered."""
    place = (sample['topk_label'] == sample['gt_label'].to(sample['topk_label'].device)).nonzero().flatten()
    missing = place.new_tensor([len(sample['topk_label'])])  # not among the predictions
    return dict(pred_score=sample['topk_score'], gt_label=place if len(place) else missing)

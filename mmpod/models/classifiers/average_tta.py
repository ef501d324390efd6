"""Test-time augmentation that averages scores and predicts from the averages."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseTTAModel
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample

from mmpod.registry import MODELS

__all__ = ['AverageTTA']

LABELS = dict(pred_score='pred_label', cosine_score='cosine_label')  # the argmax of each


@MODELS.register_module()
class AverageTTA(BaseTTAModel):
    """Average the predictions of several views of an image.

    ``pred_score`` and ``GDAClassifier``'s ``cosine_score``, ``log_density`` and ``mahalanobis`` are means over the
    views; ``pred_label`` and ``cosine_label`` are the classes with the largest mean score. mmpretrain's
    ``AverageClsScoreTTA`` takes everything but ``pred_score`` from the first view.

    Args:
        module: Config of the classifier, or the classifier.
        data_preprocessor: Replaces the classifier's own.

    Raises:
        ValueError: While testing: the predictions have no ``pred_score``, as with more than 32,768 classes.
    """

    def merge_preds(self, data_samples_list: Sequence[Sequence[DataSample]]) -> list[DataSample]:
        """Return one prediction per image from those of its views."""
        return [self._merged(views) for views in data_samples_list]

    def _merged(self, views: Sequence[DataSample]) -> DataSample:
        if 'pred_score' not in views[0]:
            raise ValueError(
                f'Expected predictions with `pred_score` for test-time augmentation, but got {sorted(views[0].keys())}.'
                ' Leave --tta out.'
            )
        merged = views[0].new()
        for name in ('pred_score', 'cosine_score', 'log_density', 'mahalanobis'):
            if name in merged:
                merged.set_field(torch.stack([view.get(name) for view in views]).mean(dim=0), name)
        for score, label in LABELS.items():
            if label in merged:
                merged.set_field(merged.get(score).argmax(dim=0, keepdim=True), label)
        if isinstance(getattr(self.module, 'head', None), MultiLabelClsHead):
            merged.pop('pred_label', None)  # of several classes: MultiLabelMetric finds them in the scores
        return merged

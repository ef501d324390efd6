"""Predictions of several views are averaged, against means computed by hand."""

import pytest
import torch
from mmpretrain.models.heads import MultiLabelLinearClsHead
from mmpretrain.structures import DataSample
from torch import nn
from torch.testing import assert_close

from mmpod.models import AverageTTA


class Classifier(nn.Module):
    """Gives each batch the predictions that its only item holds."""

    def test_step(self, data):
        return data['predictions']


def prediction(score, cosine, density, distance):
    sample = DataSample().set_gt_label(2)
    for name, value in dict(pred=score, cosine=cosine).items():
        sample.set_field(torch.tensor(value), f'{name}_score')
        sample.set_field(torch.tensor(value).argmax(dim=0, keepdim=True), f'{name}_label')
    sample.set_field(torch.tensor(density), 'log_density')
    sample.set_field(torch.tensor(distance), 'mahalanobis')
    return sample


def test_every_field_is_that_of_all_views():
    views = [
        [prediction([0.6, 0.4, 0.0], [0.8, 0.1, 0.0], -4.0, -1.0)],
        [prediction([0.1, 0.8, 0.1], [0.0, 0.3, 1.0], -2.0, -5.0)],
    ]
    (merged,) = AverageTTA(Classifier()).test_step(dict(predictions=views))
    expected = dict(
        gt_label=torch.tensor([2]),
        pred_score=torch.tensor([0.35, 0.6, 0.05]),
        pred_label=torch.tensor([1]),
        cosine_score=torch.tensor([0.4, 0.2, 0.5]),
        cosine_label=torch.tensor([2]),
        log_density=torch.tensor(-3.0),
        mahalanobis=torch.tensor(-3.0),
    )
    assert_close({name: merged.get(name) for name in merged.keys()}, expected)
    assert views[0][0].pred_label.item() == 0


def test_several_labels_per_image_are_left_to_the_metric():
    classifier = Classifier()
    classifier.head = MultiLabelLinearClsHead(num_classes=3, in_channels=2)
    views = [classifier.head.predict((torch.randn(1, 2),)) for _ in range(2)]
    assert 'pred_label' in views[0][0]
    (merged,) = AverageTTA(classifier).test_step(dict(predictions=views))
    assert 'pred_label' not in merged
    assert_close(merged.pred_score, (views[0][0].pred_score + views[1][0].pred_score) / 2)


def test_predictions_without_scores_of_all_classes_are_refused():
    views = [[DataSample().set_pred_label(3)]] * 2
    with pytest.raises(ValueError, match='`pred_score` for test-time augmentation.*Leave --tta out'):
        AverageTTA(Classifier()).test_step(dict(predictions=views))

"""What heads with prototypes do besides their losses: arguments, and predictions among very many classes."""

import re

import pytest
import torch
from data_samples import samples_of
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import GlobalAveragePooling
from torch.testing import assert_close

from mmpod.evaluation import TopKAccuracy
from mmpod.models import LearnedPrototypeHead, PEDCCHead

NUM_CLASSES = 23


def heads():
    return [
        PEDCCHead(NUM_CLASSES, 6, 40, topk=(1, 7)),
        LearnedPrototypeHead(NUM_CLASSES, 6, dict(type='mmpod.LSoftmaxLoss'), topk=(1, 7)),
    ]


@pytest.mark.parametrize(
    'change, error, words',
    [
        (dict(topk=None), TypeError, 'topk.*None'),
        (dict(topk=1.5), TypeError, 'topk.*1.5'),
        (dict(topk=(1, 99)), ValueError, 'topk.*99'),
        (dict(topk='5'), TypeError, 'topk.*5'),
        (dict(cal_acc='no'), TypeError, "cal_acc.*True or False.*'no'"),
    ],
)
def test_bad_arguments(change, error, words):
    with pytest.raises(error, match=words):
        PEDCCHead(**{**dict(num_classes=4, in_channels=6, feat_dim=5), **change})


@pytest.mark.parametrize(
    'shape, way_out',
    [
        ((2, 7), 'Set `in_channels` of PEDCCHead to what the backbone gives'),
        ((2, 6, 3, 3), "neck=dict(type='GlobalAveragePooling')"),
        ((2, 5, 6), "backbone.out_type='cls_token' or 'avg_featmap', and neck=None"),
        ((2, 1), "backbone.out_type='cls_token' or 'avg_featmap', and neck=None"),  # the former, pooled as feature maps
    ],
)
def test_features_that_are_not_vectors(shape, way_out):
    with pytest.raises(ValueError, match=re.escape('(N, 6), but got ' + str(shape)) + '.*' + re.escape(way_out)):
        PEDCCHead(4, 6, 5)((torch.zeros(shape),))
    assert GlobalAveragePooling()(torch.zeros(2, 5, 6)).shape == (2, 1)


def test_at_least_five_of_very_many_classes_are_predicted(monkeypatch):
    monkeypatch.setattr(PEDCCHead, 'MAX_SCORES', 20)
    (sample,) = PEDCCHead(NUM_CLASSES, 6, 40).predict((torch.randn(1, 6),))
    assert sample.topk_label.shape == sample.topk_score.shape == (5,)


@pytest.mark.parametrize('head', heads(), ids=['cosine', 'dot'])
@pytest.mark.parametrize('chunk', [4, 10, 23, 100])
def test_predictions_by_parts_of_the_classes_are_those_of_all(head, chunk, monkeypatch):
    pooled, labels = torch.randn(50, 6), torch.randint(NUM_CLASSES, (50,))
    whole = [sample.to_dict() for sample in head.predict((pooled,), samples_of(labels))]
    monkeypatch.setattr(type(head), 'MAX_SCORES', 20)
    monkeypatch.setattr(type(head), 'CHUNK', chunk)
    parts = [sample.to_dict() for sample in head.predict((pooled,), samples_of(labels))]
    for sample, expected in zip(parts, whole):
        assert 'pred_score' not in sample
        scores, order = expected['pred_score'].sort(descending=True)
        assert sample['topk_label'].equal(order[:7]) and sample['pred_label'].equal(expected['pred_label'])
        assert_close(sample['topk_score'], scores[:7])
    measured, plain = TopKAccuracy(topk=(1, 5, 7)), Accuracy(topk=(1, 5, 7))
    measured.process(None, parts), plain.process(None, whole)
    assert measured.evaluate(50) == plain.evaluate(50)
    with pytest.raises(ValueError, match=r'topk=\(1, 10\) .* got 7. Set model.head.topk=\(1, 10\)'):
        TopKAccuracy(topk=(1, 10)).process(None, parts)
    top1 = Accuracy(topk=(1, 5))
    top1.process(None, parts)
    assert top1.evaluate(50)['accuracy/top1'] == 100 * sum(
        int(sample['pred_label']) == label for sample, label in zip(parts, labels)
    ) / len(parts)


def test_top_k_accuracy_of_all_scores_is_accuracy():
    head, pooled = heads()[0], torch.randn(30, 6)
    samples = samples_of(torch.arange(30) % NUM_CLASSES)
    predictions = [sample.to_dict() for sample in head.predict((pooled,), samples)]
    measured, plain = TopKAccuracy(topk=(1, 5)), Accuracy(topk=(1, 5))
    measured.process(None, predictions), plain.process(None, predictions)
    assert measured.evaluate(30) == plain.evaluate(30)

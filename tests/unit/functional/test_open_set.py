"""AUROC and FPR at 95 % TPR against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve

from mmpod.functional import auroc, false_positive_rate, max_probability_score


@pytest.mark.parametrize('known, unknown, decimals', [(100, 70, 6), (100, 300, 0), (19, 5, 1), (20, 5, 1), (1, 1, 1)])
def test_against_scikit_learn(known, unknown, decimals):
    random = np.random.RandomState(known)
    scores = np.concatenate([random.normal(1, 1, known), random.normal(0, 1, unknown)]).round(decimals)  # with ties
    truth = np.arange(known + unknown) < known
    good, bad = torch.from_numpy(scores[:known]), torch.from_numpy(scores[known:])
    assert auroc(good, bad).item() == pytest.approx(roc_auc_score(truth, scores))
    for rate in (0.95, 0.5, 1.0):
        fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
        assert false_positive_rate(good, bad, rate).item() == pytest.approx(fpr[np.argmax(tpr >= rate - 1e-12)])


def test_separated_scores():
    high, low = torch.tensor([2.0, 3.0]), torch.tensor([0.0, 1.0])
    assert (auroc(high, low), auroc(low, high), false_positive_rate(high, low)) == (1, 0, 0)


def test_the_largest_probability_is_given_as_log_odds():
    logits = 3 * torch.randn(50, 7).double()
    probability = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
    largest = probability.amax(1)
    torch.testing.assert_close(max_probability_score(logits), (largest / (1 - largest)).log())


def test_probabilities_that_round_to_one_keep_their_order():
    scores = max_probability_score(torch.tensor([[0.0, 100.0], [200.0, 0.0], [0.0, 50.0]]).double())
    assert scores.argsort().tolist() == [2, 0, 1]


@pytest.mark.parametrize('measure', [auroc, false_positive_rate])
def test_nan_and_no_scores_at_all(measure):
    good, infinite = torch.tensor([0.0, 1.0]), torch.tensor([-float('inf'), float('inf')])
    assert measure(good, infinite) == 0.5
    for bad, got in ((torch.tensor([0.0, float('nan')]), '1 NaN'), (torch.empty(0), 'none')):
        for name, scores in dict(known=(bad, good), unknown=(good, bad)).items():
            with pytest.raises(ValueError, match=f'`{name}` to hold at least one score.*got {got}'):
                measure(*scores)


def test_shapes_and_rates_out_of_range_are_refused():
    scores = torch.arange(100.0)
    for measure in (auroc, false_positive_rate):
        with pytest.raises(ValueError, match=r'`unknown` to be of shape \(N,\), but got \(100, 1\)'):
            measure(scores, scores[:, None])
    for rate in (0, -1, 95):
        with pytest.raises(ValueError, match='`true_positive_rate`'):
            false_positive_rate(scores, scores, rate)


def test_a_rate_that_is_slightly_more_in_binary_needs_no_further_sample():
    assert false_positive_rate(torch.arange(100.0), torch.tensor([44.0]), 0.55) == 0  # 55 of 100 reach 45

"""AUROC and FPR at 95 % TPR against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve

from mmpod.functional import auroc, false_positive_rate


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

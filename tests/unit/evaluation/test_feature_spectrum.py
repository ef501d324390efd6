"""FeatureSpectrum against a plain computation over all features at once."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmpod.evaluation import CosineAccuracy, FeatureSpectrum
from mmpod.functional.spectrum import effective_rank, spectrum_variances


def measured(features, size=None, batch=7, **kwargs):
    metric, labels = FeatureSpectrum(**kwargs), torch.randint(3, (len(features),))  # on which nothing depends
    metric.head = SimpleNamespace(num_classes=3)
    for _ in range(2):  # an evaluation starts afresh
        for start in range(0, len(features), batch):
            metric.batch = features[start : start + batch]
            metric.process(None, [dict(gt_label=label.reshape(1)) for label in labels[start : start + batch]])
        result = metric.evaluate(len(features) if size is None else size)
    return result


def test_both_readings_and_the_rank():
    features = (torch.randn(50, 12) @ torch.randn(12, 12)).relu()
    x = features.double().numpy()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    moment = sum(np.outer(row, row) for row in x) / 50
    eigenvalues = np.linalg.eigvalsh(moment)
    metrics = measured(features)
    assert metrics.keys() == {
        f'spectrum/{name}' for name in ('eigenvalue_variance_e8', 'energy_variance_e8', 'effective_rank')
    }
    assert metrics['spectrum/eigenvalue_variance_e8'] == pytest.approx(1e8 * eigenvalues.var())
    assert metrics['spectrum/energy_variance_e8'] == pytest.approx(1e8 * np.diag(moment).var())
    rank = np.exp(-(eigenvalues * np.log(eigenvalues)).sum())
    assert metrics['spectrum/effective_rank'] == pytest.approx(rank)
    assert measured(7 * features, batch=50, prefix='s')['s/effective_rank'] == pytest.approx(rank)


def test_limits():
    even, line = torch.eye(4, dtype=torch.float64) / 4, torch.ones(4, 4, dtype=torch.float64) / 4
    assert effective_rank(even).item() == pytest.approx(4) and effective_rank(line).item() == pytest.approx(1)
    assert [value.item() for value in spectrum_variances(even)] == [0, 0]
    # One direction, spread evenly over the axes: the spectrum is uneven, the energies are not.
    assert [value.item() for value in spectrum_variances(line)] == pytest.approx([3 / 16, 0])


def test_errors():
    with pytest.raises(ValueError, match='counted once, but got 5.*DefaultSampler'):
        measured(torch.ones(5, 2), size=4)
    with pytest.raises(ValueError, match='cosine_score'):
        CosineAccuracy().process(None, [dict(pred_score=0)])

"""Classes learned from a few features, against scikit-learn."""

import pytest
import torch
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import normalize

from mmpod.functional import nearest_mean


def test_nearest_mean_against_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 5
    offset = torch.full((8,), 3.0, dtype=torch.float64)  # shared by all, hence removed
    support, query = (
        torch.randn(number, 8, generator=generator, dtype=torch.float64) * torch.rand(number, 1, generator=generator)
        for number in (60, 40)
    )
    support = support + torch.eye(5, 8, dtype=torch.float64)[labels]
    center = support.mean(dim=0).numpy()
    model = NearestCentroid().fit(normalize(support.numpy() - center), labels.numpy())
    expected = model.predict(normalize(query.numpy() - center))
    assert len(set(expected)) == 5
    assert nearest_mean(support, labels, query).tolist() == expected.tolist()
    assert nearest_mean(support + offset, labels, query + offset).tolist() == expected.tolist()


@pytest.mark.parametrize('labels, support', [([1, 2, 2], torch.eye(3)), ([0, 1, 1], torch.eye(3) / 0)])
def test_absent_classes_and_nan_are_refused(labels, support):
    with pytest.raises(ValueError, match='samples of every class from 0 to K - 1'):
        nearest_mean(support, torch.tensor(labels), torch.eye(3))

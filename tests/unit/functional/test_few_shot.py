"""Classes learned from a few features, against scikit-learn."""

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

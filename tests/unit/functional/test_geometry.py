"""The geometry of features against explicit loops and NumPy's pseudo-inverse, and in the limits that are known."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import neural_collapse, pedcc, target_and_nontarget_cosines
from mmpod.functional.geometry import total_covariance
from mmpod.functional.moments import class_moments

NC2 = {'nc2_equinorm', 'nc2_equiangularity', 'nc2_max_angle'}
ALL = {'effective_rank', 'within_between', 'nc1', 'nc3_self_duality', *NC2}


def measured(features, labels, num_classes, prototypes=None):
    moments = class_moments(features.double(), labels, num_classes, by_class=False)
    return {name: value.item() for name, value in neural_collapse(moments, prototypes).items()}


def by_loops(features, labels, prototypes):
    """The definitions of Papyan, Han and Donoho, sample by sample and pair by pair."""
    x, w = features.double().numpy(), prototypes.double().numpy()
    groups = {label: [row for row, other in zip(x, labels.tolist()) if other == label] for label in labels.tolist()}
    classes = sorted(groups)
    means = {label: sum(groups[label]) / len(groups[label]) for label in classes}
    centre = sum(means.values()) / len(classes)
    within = sum(np.outer(row - means[c], row - means[c]) for c in classes for row in groups[c]) / len(x)
    between = sum(np.outer(means[c] - centre, means[c] - centre) for c in classes) / len(classes)
    lengths = [math.sqrt(((means[c] - centre) ** 2).sum()) for c in classes]
    cosines = [
        (means[a] - centre)
        @ (means[b] - centre)
        / np.linalg.norm(means[a] - centre)
        / np.linalg.norm(means[b] - centre)
        for a in classes
        for b in classes
        if a != b
    ]
    m, w = np.stack([means[c] - centre for c in classes]), w[classes]
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    shares = [value / spectrum.sum() for value in spectrum if value > 1e-12]
    return dict(
        within_between=np.trace(within) / np.trace(between),
        nc1=np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / len(classes),
        nc2_equinorm=np.std(lengths) / np.mean(lengths),
        nc2_equiangularity=np.std(cosines),
        nc2_max_angle=np.mean([abs(cosine + 1 / (len(classes) - 1)) for cosine in cosines]),
        nc3_self_duality=((w / np.sqrt((w**2).sum()) - m / np.sqrt((m**2).sum())) ** 2).sum(),
        effective_rank=math.exp(-sum(share * math.log(share) for share in shares)),
    )


@pytest.mark.parametrize(
    'num_samples, num_classes, dim',
    [(60, 4, 7), (60, 5, 3), (9, 4, 20), (40, 2, 6)],
    ids=['D > K', 'D < K - 1', 'D > N', 'two classes'],
)
def test_all_measures_equal_those_of_loops(num_samples, num_classes, dim):
    labels = torch.cat([torch.arange(num_classes), torch.randint(num_classes, (num_samples - num_classes,))])
    features = torch.randn(num_classes, dim)[labels] + torch.randn(num_samples, dim) @ torch.randn(dim, dim) + 3
    prototypes = torch.randn(num_classes, dim)
    expected = by_loops(features, labels, prototypes)
    assert measured(features, labels, num_classes, prototypes) == pytest.approx(expected, rel=1e-8)
    del expected['nc3_self_duality']
    assert measured(features, labels, num_classes) == pytest.approx(expected, rel=1e-8)


def test_cosines_equal_those_of_loops():
    features, prototypes, labels = torch.randn(20, 5), torch.randn(4, 5), torch.randint(4, (20,))
    own, foreign = target_and_nontarget_cosines(features, labels, prototypes)
    for x, label, a, b in zip(features, labels.tolist(), own, foreign):
        cosines = [torch.cosine_similarity(x, p, dim=0) for p in prototypes]
        assert_close(a, cosines.pop(label))
        assert_close(b, max(cosines))


@pytest.mark.parametrize('counts', [[3, 3, 3, 3, 3], [1, 9, 2, 4, 5]], ids=['balanced', 'unbalanced'])
def test_collapse_onto_the_centroids(counts):
    """Own cosine 1, foreign -1/(K - 1), no spread within, a regular simplex of rank K - 1 that is dual to itself."""
    centroids, labels = pedcc(5, 16), torch.repeat_interleave(torch.arange(5), torch.tensor(counts))
    own, foreign = target_and_nontarget_cosines(3 * centroids[labels], labels, centroids)
    assert_close(own, torch.ones_like(own))
    assert_close(foreign, torch.full_like(foreign, -1 / 4))
    measures = measured(3 * centroids[labels], labels, 5, centroids)
    assert measures.keys() == ALL
    rank = measures.pop('effective_rank')
    assert rank == pytest.approx(4) if len(set(counts)) == 1 else 3 < rank < 4
    assert measures == pytest.approx(dict.fromkeys(measures, 0), abs=1e-10)
    assert measured(centroids[labels], labels, 5, -centroids)['nc3_self_duality'] == pytest.approx(4)


def test_a_class_without_samples_is_left_out():
    labels = torch.randint(3, (30,))
    features, prototypes = torch.randn(3, 6)[labels] + torch.randn(30, 6), torch.randn(5, 6)
    there = torch.tensor([0, 2, 4])
    expected = measured(features, labels, 3, prototypes[there])
    assert measured(features, there[labels], 5, prototypes) == pytest.approx(expected)


def test_one_sample_per_class_has_no_spread():
    measures = measured(torch.randn(6, 4), torch.arange(6), 6)
    assert measures['within_between'] == measures['nc1'] == 0 and measures['nc2_equinorm'] > 0


def test_what_does_not_exist_is_left_out():
    one_class = torch.zeros(20, dtype=torch.long)
    assert measured(torch.randn(20, 4), one_class, 3, torch.randn(3, 4)).keys() == {'effective_rank'}
    # Means of equal rows differ by rounding alone.
    equal = torch.full((21, 4), 0.1, dtype=torch.float64)
    assert measured(equal, torch.arange(21) % 2, 2, torch.randn(2, 4)) == {}
    # Three means on a line, one in the centre: no direction from there.
    line = torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert measured(line, torch.arange(3), 3).keys() == {'effective_rank', 'within_between', 'nc1', 'nc2_equinorm'}
    assert 'nc3_self_duality' not in measured(torch.randn(9, 4), torch.arange(9) % 3, 3, torch.zeros(3, 4))


def test_features_far_from_the_origin_lose_nothing():
    labels, features = torch.randint(3, (90,)), torch.randn(90, 5, dtype=torch.float64)
    features += torch.randn(3, 5, dtype=torch.float64)[labels]
    near, far = (measured(features + offset, labels, 3) for offset in (0, 1e6))
    assert far == pytest.approx(near, rel=1e-7)
    covariance = total_covariance(class_moments(features + 1e6, labels, 3, by_class=False))
    assert_close(covariance, torch.cov(features.T, correction=0), rtol=1e-7, atol=1e-9)


def test_rotations_and_scales_change_nothing():
    labels, features, prototypes = torch.randint(4, (50,)), torch.randn(50, 6).double(), torch.randn(4, 6).double()
    turn, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))
    expected = measured(features, labels, 4, prototypes)
    assert measured(7 * features @ turn, labels, 4, 0.3 * prototypes @ turn) == pytest.approx(expected)

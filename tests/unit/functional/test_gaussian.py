"""Moments, shrinkage and distances against explicit loops, scikit-learn and SciPy."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf_shrinkage as sklearn_shrinkage
from sklearn.covariance import shrunk_covariance
from torch.testing import assert_close

from mmpod.functional import ledoit_wolf_shrinkage
from mmpod.functional.gaussian import cholesky_factor, squared_distances, whitening_factor
from mmpod.functional.moments import accumulate_, class_moments, empty_moments, merge_moments
from mmpod.functional.shrinkage import gaussian_shrinkage, shrink


def samples(num=90, dim=5, num_classes=4, offset=0.0):
    """Skewed features of classes of different sizes and spreads; the last class has no sample."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(num_classes - 1, (num,), generator=generator)
    features = torch.randn(num, dim, generator=generator, dtype=torch.float64).exp() * (1 + labels.unsqueeze(1))
    return features + offset * (labels.unsqueeze(1) - 1), labels


def looped(features, labels, num_classes):
    """Return counts, means, scatter, third and fourth moments, sample by sample."""
    num, dim = features.shape
    counts, means = np.zeros(num_classes), np.zeros((num_classes, dim))
    scatter, third = np.zeros((num_classes, dim, dim)), np.zeros((num_classes, dim))
    fourth = np.zeros(num_classes)
    for x, k in zip(features.numpy(), labels.tolist()):
        counts[k] += 1
        means[k] += x
    means /= np.maximum(counts, 1)[:, None]
    for x, k in zip(features.numpy(), labels.tolist()):
        z = x - means[k]
        scatter[k] += np.outer(z, z)
        third[k] += (z @ z) * z
        fourth[k] += (z @ z) ** 2
    return [torch.from_numpy(array) for array in (counts, means, scatter, third, fourth)]


@pytest.mark.parametrize('sizes', [[90], [1] * 90, [2, 50, 3, 35]])
@pytest.mark.parametrize('offset', [0, 1e4])
def test_moments_in_any_batches_and_order(sizes, offset, monkeypatch):
    monkeypatch.setattr('mmpod.functional.moments.ROWS', 7)  # larger batches are split
    features, labels = samples(offset=offset)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(2))
    by_class, pooled = empty_moments(4, 5), empty_moments(4, 5, by_class=False)
    for rows in order.split(sizes):
        by_class = accumulate_(by_class, features[rows], labels[rows])
        pooled = accumulate_(pooled, features[rows], labels[rows])
    expected = looped(features, labels, 4)
    for value, wanted in zip(by_class, expected):
        assert_close(value, wanted, rtol=1e-9, atol=1e-9 * wanted.abs().max().item())
    assert_close(pooled.scatter, expected[2].sum(0), rtol=1e-9, atol=1e-6)
    assert_close(pooled.means, expected[1], rtol=1e-12, atol=1e-10)


def test_ledoit_wolf_is_scikit_learns():
    for num, dim, scale in ((30, 4, 1.0), (20, 60, 1e-3), (500, 20, 1e3), (3, 8, 1.0), (40, 1, 1.0)):
        random = np.random.RandomState(num)
        rows = scale * random.standard_t(3, (num, dim)) @ np.diag(np.linspace(1, 3, dim)) + 7
        moments = class_moments(torch.from_numpy(rows), torch.zeros(num, dtype=torch.long), 1)
        ours = ledoit_wolf_shrinkage(moments.scatter, moments.fourth, moments.counts)
        assert ours.item() == pytest.approx(sklearn_shrinkage(rows), abs=1e-9)
        assert 0 <= ours.item() <= 1


def test_gaussian_shrinkage_is_the_mean_of_ledoit_wolfs_on_gaussian_data():
    """The printed formula, and its meaning: on normal data both estimate one number."""
    random = np.random.RandomState(0)
    theirs, ours = [], []
    for _ in range(60):
        rows = random.standard_normal((80, 10)) * np.linspace(1, 2, 10)
        scatter = torch.from_numpy(rows.T @ rows)
        ours.append(gaussian_shrinkage(scatter, torch.tensor(80.0)).item())
        theirs.append(sklearn_shrinkage(rows, assume_centered=True))
        covariance, n, p = rows.T @ rows / 80, 80, 10
        square, trace = np.trace(covariance @ covariance), np.trace(covariance)
        printed = ((n - 2) / n * square + trace**2) / ((n + 2) * (square - trace**2 / p))
        assert ours[-1] == pytest.approx(min(1, printed), rel=1e-9)
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.01)


def test_shrink_is_scikit_learns():
    matrix = np.cov(np.random.RandomState(0).standard_normal((9, 6)).T)
    for alpha in (0.0, 0.3, 1.0):
        ours = shrink(torch.from_numpy(matrix), torch.tensor(alpha, dtype=torch.float64))
        assert_close(ours, torch.from_numpy(shrunk_covariance(matrix, alpha)))


def covariances(count, dim):
    roots = torch.randn(count, dim, dim, dtype=torch.float64)
    return roots @ roots.mT + 0.1 * torch.eye(dim, dtype=torch.float64)


@pytest.mark.parametrize('num, classes', [(1, 4), (7, 4), (3, 1)])
def test_distances_are_scipys(num, classes):
    dim = 6
    sigma, means = covariances(classes, dim), 10 * torch.randn(classes, dim, dtype=torch.float64)
    features = 10 * torch.randn(num, dim, dtype=torch.float64)
    factor, regular = cholesky_factor(sigma)
    whitening = whitening_factor(factor)
    assert regular.all() and (whitening.triu(1) == 0).all()
    assert_close(whitening.mT @ whitening, torch.linalg.inv(sigma))
    by_class = [cdist(features, means, 'mahalanobis', VI=np.linalg.inv(one)) ** 2 for one in sigma]
    own = np.stack([distances[:, k] for k, distances in enumerate(by_class)], axis=1)
    assert_close(squared_distances(features, means, whitening), torch.from_numpy(own))
    assert_close(squared_distances(features, means, whitening[0]), torch.from_numpy(by_class[0]))
    assert_close(squared_distances(features, means), torch.cdist(features, means).square())


def test_distances_do_not_depend_on_the_chunks(monkeypatch):
    whitening = whitening_factor(cholesky_factor(covariances(5, 3))[0])
    features, means = torch.randn(9, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    whole = squared_distances(features, means, whitening)
    monkeypatch.setattr('mmpod.functional.gaussian.MAX_WHITENED', 12)  # four rows at a time
    assert_close(squared_distances(features, means, whitening), whole, rtol=1e-14, atol=0)


def test_shared_distances_of_far_means_do_not_cancel():
    means = torch.tensor([[1e6 + 1 / 3, 1 / 7], [1e6 + 1 / 3, 8 / 7]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    assert_close(squared_distances(means, means, eye), 1 - eye)


def test_singular_covariances_are_told_apart():
    flat = torch.ones(3, 3, dtype=torch.float64)
    nearly = flat + 1e-17 * torch.eye(3, dtype=torch.float64)
    sigma = torch.stack([flat, torch.eye(3, dtype=torch.float64) * 1e-20, nearly, torch.zeros_like(flat)])
    assert cholesky_factor(sigma)[1].tolist() == [False, True, False, False]
    eps = torch.finfo(torch.float64).eps  # positive definite in exact arithmetic, and to LAPACK
    assert not cholesky_factor(torch.tensor([[1, 1], [1, 1 + eps]], dtype=torch.float64))[1]
    sigma = torch.diag_embed(torch.tensor([[1.0] * 7 + [4 * eps], [1.0] * 7 + [16 * eps]], dtype=torch.float64))
    assert cholesky_factor(sigma)[1].tolist() == [False, True]  # rounding errors grow with the dimension


@pytest.mark.parametrize('by_class', [True, False])
def test_moments_of_two_parts_merge_to_those_of_all(by_class):
    """Each part in a thread of its own, as each process of a distributed run has one."""
    features, labels = samples()
    sent, barrier = {}, threading.Barrier(2, timeout=60)

    def merge(rows):
        def total(tensor):
            barrier.wait()
            sent[rows.start] = tensor
            barrier.wait()
            return sent[0] + sent[30]

        return merge_moments(class_moments(features[rows], labels[rows], 4, by_class), total)

    with ThreadPoolExecutor(2) as pool:
        for merged in pool.map(merge, (slice(0, 30), slice(30, None))):
            assert_close(merged, class_moments(features, labels, 4, by_class))


def test_one_degree_of_freedom_shrinks_fully():
    """Nothing about the error of S can be learned from it, and without shrinkage S is singular."""
    scatter = torch.outer(*[torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)] * 2)
    shrinkage = gaussian_shrinkage(torch.stack([scatter, scatter]), torch.tensor([1.0, 2.0]))
    assert_close(shrinkage, torch.tensor([1, 14**2 / 4 / (14**2 - 14**2 / 3)], dtype=torch.float64))


def test_a_scaled_identity_up_to_rounding_is_not_shrunk():
    """Rounding errors would decide between 0 and 1."""
    scatter = torch.diag_embed(torch.tensor([[5, 5], [5, 5 + 5e-7], [5, 5 + 5e-6]], dtype=torch.float64))
    assert gaussian_shrinkage(scatter, torch.tensor(9.0)).tolist() == [0, 0, 1]


@pytest.mark.parametrize('spread', [1e-6, 1e-8, 1e-10])
def test_distances_of_collapsed_classes_keep_their_digits(spread):
    means = torch.randn(5, 8, dtype=torch.float64)
    labels = torch.arange(40) % 5
    noise = torch.randn(40, 8, dtype=torch.float64)
    whitening = torch.eye(8, dtype=torch.float64) / spread
    features = means[labels] + spread * noise
    exact = ((features - means[labels]) / spread).square().sum(dim=1)
    found = squared_distances(features, means, whitening).gather(1, labels[:, None])[:, 0]
    assert_close(found, exact, rtol=1e-5, atol=0)

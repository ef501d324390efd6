import math

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import (
    kerdock_dim,
    max_cosine,
    max_cosine_lower_bound,
    spread_centroids,
    spread_method,
)
from mmpod.functional.centroids_kerdock import kerdock_rows


@pytest.mark.parametrize('num_classes, feat_dim', [(2, 1), (4, 2), (5, 3), (6, 3), (9, 6), (12, 8), (16, 8)])
def test_up_to_twice_the_dimension_the_largest_cosine_is_the_best_possible(num_classes, feat_dim):
    """Every pair of rows by a loop; the rows add up to zero, as those of a simplex do."""
    rows = spread_centroids(num_classes, feat_dim, seed=3)
    assert rows.dtype == torch.float64 and rows.shape == (num_classes, feat_dim)
    inner = [math.fsum((rows[a] * rows[b]).tolist()) for a in range(num_classes) for b in range(a)]
    best = 0 if num_classes > feat_dim + 1 else -1 / (num_classes - 1)
    assert abs(max(inner) - best) < 1e-12 and max(inner) == pytest.approx(max_cosine(rows), abs=1e-15)
    assert max_cosine_lower_bound(num_classes, feat_dim) == best
    assert_close(rows.norm(dim=1), torch.ones(num_classes).double())
    assert_close(rows.sum(dim=0), torch.zeros(feat_dim).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    'num_classes, feat_dim, best, sharp',  # whether the bound is reached
    [
        pytest.param(5, 2, math.cos(2 * math.pi / 5), True, id='pentagon'),
        pytest.param(9, 2, math.cos(2 * math.pi / 9), False, id='nonagon'),
        pytest.param(12, 3, 1 / math.sqrt(5), False, id='icosahedron'),
        pytest.param(16, 5, 1 / 5, True, id='Clebsch'),
        pytest.param(27, 6, 1 / 4, True, id='Schlaefli'),
        pytest.param(56, 7, 1 / 3, False, id='28 bitangents'),
    ],
)
def test_beyond_it_finds_the_known_best_arrangements(num_classes, feat_dim, best, sharp):
    rows = spread_centroids(num_classes, feat_dim, seed=1)
    assert max_cosine(rows) == pytest.approx(best, abs=1e-4)
    assert_close(rows.norm(dim=1), torch.ones(num_classes).double())
    bound = max_cosine_lower_bound(num_classes, feat_dim)
    assert bound == pytest.approx(best, abs=1e-12) if sharp else bound < best - 1e-3


def test_bound_grows_with_the_classes():
    bounds = [max_cosine_lower_bound(num_classes, 4) for num_classes in range(2, 60)]
    assert bounds == sorted(bounds) and bounds[0] == -1


@pytest.mark.parametrize('num_classes, feat_dim, best', [(288, 16, 1 / 4), (200, 18, 1 / 4), (1000, 64, 1 / 8)])
def test_closed_form_where_it_is_near_the_bound(num_classes, feat_dim, best):
    rows = spread_centroids(num_classes, feat_dim, seed=3, progress=lambda *state: pytest.fail('a descent'))
    cosines = (rows @ rows.T).fill_diagonal_(-1)
    assert cosines.max().item() == pytest.approx(best, abs=1e-12)
    assert kerdock_dim(num_classes, feat_dim) == best**-2 and spread_method(num_classes, feat_dim) == 'kerdock'
    assert_close(rows.norm(dim=1), torch.ones(num_classes).double())
    # The same arrangement in another position, and another one for another seed.
    unturned = kerdock_rows(torch.arange(num_classes), 64 if feat_dim == 64 else 16)
    assert_close(rows @ rows.T, unturned @ unturned.T, rtol=0, atol=1e-12)
    assert (rows - spread_centroids(num_classes, feat_dim, seed=4)).abs().max() > 0.1


@pytest.mark.parametrize('num_classes, feat_dim', [(24, 4), (40, 16), (130, 16)])
def test_the_better_of_closed_form_and_descent(num_classes, feat_dim):
    """24 points in R^4: the 24-cell, 1/2, which the descent misses; few points in R^16: the descent."""
    assert spread_method(num_classes, feat_dim) == 'descent'
    found = max_cosine(spread_centroids(num_classes, feat_dim))
    if num_classes == 24:
        assert found == pytest.approx(0.5, abs=1e-12)
    else:
        assert found < 0.25


def test_without_a_kerdock_set_of_that_many_rows_it_descends():
    assert kerdock_dim(25, 4) == kerdock_dim(10, 3) == 0
    assert [spread_method(*sizes) for sizes in ((25, 4), (10, 3), (6, 3))] == ['descent', 'descent', 'simplices']
    assert 0.5 < max_cosine(spread_centroids(25, 4, steps=300)) < 0.8


def test_large_tables_are_exact_and_turned_by_a_signed_permutation(monkeypatch):
    methods = [spread_method(*sizes) for sizes in ((66048, 256), (4224, 64), (4097, 4096))]
    assert methods == ['kerdock table', 'kerdock', 'simplices']
    monkeypatch.setattr('mmpod.functional.centroids_spread.LARGE_TABLE', 1000)
    monkeypatch.setattr('mmpod.functional.centroids_spread.CHUNK', 1000)  # 55 rows at a time
    rows = spread_centroids(288, 18, seed=5, dtype=torch.float32)
    assert rows.dtype == torch.float32 and ((rows == 0).sum(dim=0) == 288).sum() == 2  # unused coordinates
    unturned = kerdock_rows(torch.arange(288), 16, torch.float32)
    assert_close(rows @ rows.T, unturned @ unturned.T, rtol=0, atol=0)
    assert_close(spread_centroids(288, 18, seed=5), rows.double(), rtol=0, atol=0)
    others = [spread_centroids(288, 18, seed=seed, dtype=torch.float32) for seed in range(4)]
    assert len({tuple((other[100] == 0).tolist()) for other in others}) > 1  # other coordinates unused
    assert (unturned[0] > 0).all()
    assert len({int((other[0] < 0).sum()) for other in others}) > 1  # other signs


def test_largest_cosine_in_chunks(monkeypatch):
    rows = torch.nn.functional.normalize(torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).double())
    expected = max(float(rows[a] @ rows[b]) for a in range(50) for b in range(a))
    monkeypatch.setattr('mmpod.functional.centroids_spread.CHUNK', 350)  # 7 rows at a time
    assert max_cosine(rows) == pytest.approx(expected, abs=1e-15)


def test_seed_and_progress():
    seen = []
    first = spread_centroids(20, 3, seed=2, steps=50, progress=lambda *state: seen.append(state))
    assert_close(first, spread_centroids(20, 3, seed=2, steps=50), rtol=0, atol=0)
    assert (first - spread_centroids(20, 3, seed=5, steps=50)).abs().max() > 0.1
    assert [step for step, _ in seen] == list(range(5, 51, 5))
    assert [cosine for _, cosine in seen] == sorted((cosine for _, cosine in seen), reverse=True)
    assert seen[-1][1] == pytest.approx(max_cosine(first), abs=1e-12)


@pytest.mark.parametrize(
    'arguments, error, words',
    [
        ((3, 1), ValueError, ['feat_dim', '2']),
        ((1, 3), ValueError, ['num_classes']),
        ((9, 2, -1), ValueError, ['seed']),
    ],
)
def test_bad_arguments_are_named(arguments, error, words):
    with pytest.raises(error) as caught:
        spread_centroids(*arguments)
    assert all(word in str(caught.value) for word in words)

"""The bases of a Kerdock set: exact cosines, all pairs where they are few, and rows that follow from their index."""

import hashlib

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional.centroids_kerdock import kerdock_dim, kerdock_rows


@pytest.mark.parametrize('dim', [4, 16, 64])
def test_all_pairs_have_the_cosines_of_mutually_unbiased_bases(dim):
    rows = kerdock_rows(torch.arange(dim * dim + 2 * dim), dim)
    assert kerdock_dim(len(rows), dim) == dim and kerdock_dim(len(rows) + 1, dim) == kerdock_dim(2, 3) == 0
    cosines = (rows @ rows.T).abs()
    # Per row: itself and its opposite; the other vectors of its basis with their opposites; all of the other bases.
    counts = {1.0: 2, 0.0: 2 * (dim - 1), dim**-0.5: dim * dim}
    assert sum(counts.values()) == len(rows)
    for value, count in counts.items():
        assert ((cosines == value).sum(dim=1) == count).all(), value


@pytest.mark.parametrize('dim', [256, 1024, 4096])
def test_sampled_pairs_of_larger_tables(dim):
    generator = torch.Generator().manual_seed(dim)
    size = dim * (dim + 2)
    indices = torch.randint(size, (500,), generator=generator)
    indices = torch.cat([indices, torch.arange(20), size - 1 - torch.arange(20)]).unique()
    rows = kerdock_rows(indices, dim, torch.float32)
    cosines = rows @ rows.T
    basis = indices // (2 * dim)
    expected = torch.where(basis[:, None] == basis, 0.0, dim**-0.5)
    same = indices[:, None] // 2 == indices // 2
    assert_close(cosines.abs(), torch.where(same, 1.0, expected), rtol=0, atol=0)
    assert_close(cosines[same] < 0, (indices[:, None] != indices)[same])


def test_the_table_is_pinned():
    """Checkpoints of many classes hold only its recipe."""
    table = kerdock_rows(torch.arange(4224), 64, torch.float32)
    assert hashlib.sha256(table.numpy().tobytes()).hexdigest().startswith('e71e9e17f030d3ba')
    assert_close(table[1::2], -table[::2], rtol=0, atol=0)


def test_a_part_of_the_table_is_made_alone():
    indices = torch.tensor([4223, 0, 17, 17, 4096, 1000])
    table = kerdock_rows(torch.arange(4224), 64, torch.float16)
    assert_close(kerdock_rows(indices, 64, torch.float16), table[indices], rtol=0, atol=0)
    assert kerdock_rows(indices[:0], 64).shape == (0, 64)

import math

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import pedcc, spread_centroids
from mmpod.functional.centroids import haar_frame


def test_equals_the_helmert_matrix_times_the_frame():
    """The cumulative sum against the product with the dense matrix, written out entry by entry."""
    num_classes, feat_dim = 6, 8
    helmert = torch.zeros(num_classes - 1, num_classes, dtype=torch.float64)
    for j in range(1, num_classes):
        for a in range(j):
            helmert[j - 1, a] = 1 / math.sqrt(j * (j + 1))
        helmert[j - 1, j] = -j / math.sqrt(j * (j + 1))
    expected = math.sqrt(6 / 5) * helmert.T @ haar_frame(5, feat_dim, seed=7)
    assert_close(pedcc(num_classes, feat_dim, seed=7), expected, rtol=0, atol=1e-14)


def test_seed_chooses_the_rotation():
    assert_close(pedcc(4, 6, seed=1), pedcc(4, 6, seed=1), rtol=0, atol=0)
    assert (pedcc(4, 6, seed=1) - pedcc(4, 6, seed=2)).abs().max() > 0.1


def test_rows_of_a_known_seed():
    """Pinned: checkpoints rely on the same (K, D, seed) giving the same rows forever."""
    z = torch.tensor([1.764052345967664, 0.4001572083672233, 0.9787379841057392])  # N(0, 1) of NumPy's seed 0
    expected = (z / z.norm()).double()
    assert_close(pedcc(2, 3, seed=0), torch.stack([expected, -expected]), rtol=0, atol=1e-6)


def test_frame_is_orthonormal_and_uniform():
    """Haar: each coordinate of a vector has mean 0 and mean square 1/D; a QR without its sign repair has not."""
    frames = torch.stack([haar_frame(2, 3, seed) for seed in range(3000)])
    assert_close(frames @ frames.transpose(1, 2), torch.eye(2).double().expand(3000, 2, 2), rtol=0, atol=1e-12)
    assert frames.mean(0).abs().max() < 0.05
    assert_close(frames.square().mean(0), torch.full((2, 3), 1 / 3).double(), rtol=0, atol=0.03)


@pytest.mark.parametrize(
    'arguments, error, words',
    [
        ((10, 8), ValueError, ['feat_dim', '9', '8']),
        ((1, 8), ValueError, ['num_classes', '1']),
        ((2, 0), ValueError, ['feat_dim', '0']),
        ((2.0, 8), TypeError, ['num_classes', 'float']),
        ((True, 8), TypeError, ['num_classes', 'bool']),
        ((2, '8'), TypeError, ['feat_dim', 'str']),
        ((2, 8, -1), ValueError, ['seed', '-1']),
        ((2, 8, 2**32), ValueError, ['seed', '4294967295']),
    ],
)
def test_bad_arguments_are_named(arguments, error, words):
    with pytest.raises(error) as caught:
        pedcc(*arguments)
    assert all(word in str(caught.value) for word in words)


def test_the_default_device_does_not_matter():
    with torch.device('meta'):
        made = pedcc(4, 8), *(spread_centroids(*size) for size in ((12, 8), (40, 16), (20, 4)))
    assert_close(made, (pedcc(4, 8), *(spread_centroids(*size) for size in ((12, 8), (40, 16), (20, 4)))))

"""Predefined evenly-distributed class centroids (PEDCC), Section III-B of arXiv 2111.15449 v1."""

import math

import numpy as np
import torch
from torch import Tensor

from mmpod.utils.checks import check_integer

__all__ = ['pedcc']

MAX_SEED = 2**32 - 1


def haar_frame(num_vectors: int, dim: int, seed: int) -> Tensor:
    """Return ``num_vectors`` orthonormal rows of length ``dim``, uniformly distributed over all such frames, float64.

    QR of a Gaussian matrix with the signs of R's diagonal moved into Q (Mezzadri, arXiv math-ph/0609050). The Gaussian
    numbers come from NumPy's frozen generator, whose stream is the same on every machine and in every version.
    """
    gaussian = torch.from_numpy(np.random.RandomState(seed).standard_normal((dim, num_vectors)))
    q, r = torch.linalg.qr(gaussian)
    return (q * torch.where(r.diagonal() < 0, -1.0, 1.0).to(q)).T


def simplex(frame: Tensor) -> Tensor:
    r"""Return the n + 1 vertices of the regular simplex in the span of n orthonormal rows (n, D), shape (n + 1, D).

    :math:`p_a = \sqrt{K/(K-1)} \sum_j H_{ja} q_j` with K = n + 1, the rows :math:`q_j` of the frame and the Helmert
    matrix H, (n, K): its row j holds j times :math:`1/\sqrt{j(j+1)}`, then :math:`-j/\sqrt{j(j+1)}`, then zeros. This
    structure turns the product into one cumulative sum, O(n D).
    """
    n = len(frame)
    j = torch.arange(1, n + 1, dtype=torch.float64).unsqueeze(1)
    rows = frame / (j * (j + 1)).sqrt()
    vertices = frame.new_zeros(n + 1, frame.shape[1])
    vertices[:-1] = rows.flip(0).cumsum(0).flip(0)
    vertices[1:] -= j * rows
    return vertices * math.sqrt((n + 1) / n)


def pedcc(num_classes: int, feat_dim: int, seed: int = 0) -> Tensor:
    r"""Return K unit vectors of R^D whose pairwise inner products are all :math:`-1/(K-1)`, shape (K, D), float64.

    They are the vertices of the regular simplex under a random rotation: its Helmert coordinates in a Haar-random
    orthonormal (K-1)-frame of R^D. This takes O(K D) operations in addition to the frame.

    The authors' released generator repels random points step by step and stores unseeded pickles; this closed form has
    the same geometry (any two such sets differ by a rotation of R^D) and takes a seed.

    Args:
        num_classes: K, at least 2.
        feat_dim: D, at least K - 1: no more than D + 1 such vectors exist in R^D. For more classes use
            :func:`~mmpod.functional.spread_centroids`.
        seed: Chooses the rotation, from 0 to 2**32 - 1. The same (K, D, seed) gives the same rows on every machine up
            to rounding.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: An argument is out of range, or K > D + 1.

    Example:
        >>> centroids = pedcc(4, 8)
        >>> torch.allclose(centroids @ centroids.T, torch.eye(4).double() * 4 / 3 - 1 / 3)
        True
    """
    check_integer('num_classes', num_classes, 2)
    check_integer('feat_dim', feat_dim, 1)
    check_integer('seed', seed, 0, MAX_SEED)
    if num_classes > feat_dim + 1:
        raise ValueError(
            f'Expected `feat_dim` to be at least num_classes - 1 = {num_classes - 1}, but got {feat_dim}: '
            f'R^{feat_dim} holds no more than {feat_dim + 1} evenly distributed centroids. '
            f'Set feat_dim={num_classes - 1} or more, or spread them as evenly as {feat_dim} dimensions allow: '
            "centroids='spread' in PEDCCHead, which is mmpod.functional.spread_centroids."
        )
    with torch.device('cpu'):  # whatever the default device: the numbers come from NumPy
        return simplex(haar_frame(num_classes - 1, feat_dim, seed))

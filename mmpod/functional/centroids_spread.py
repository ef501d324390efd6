r"""Centroids for more classes than a regular simplex has vertices, K > D + 1, spread as evenly as R^D allows.

K unit vectors of R^D then cannot have equal pairwise cosines; instead their largest cosine is minimised.
"""

import math
from collections.abc import Callable
from typing import Optional

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from mmpod.utils.checks import check_integer

from .centroids import MAX_SEED, haar_frame, simplex
from .centroids_kerdock import kerdock_dim, kerdock_rows

__all__ = ['max_cosine', 'max_cosine_lower_bound', 'spread_centroids', 'spread_method']

# Annealing schedules, geometric from the first value to the last: the sharpness of the soft maximum over all pairs, and
# the distance that a point moves in a step.
SHARPNESS = (10.0, 3e4)
STEP = (0.1, 1e-5)

# A Kerdock set within this factor of the bound is used without a descent.
REACH = 1.4
MAX_DESCENT = 2000  # points, if there is a Kerdock set to use instead

LARGE_TABLE = 2**24  # entries: 64 MiB in float32
CHUNK = 2**21  # entries computed at a time


def spread_centroids(
    num_classes: int,
    feat_dim: int,
    seed: int = 0,
    steps: int = 1500,
    progress: Optional[Callable[[int, float], None]] = None,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    r"""Return K unit vectors of R^D whose largest pairwise cosine is as small as possible, shape (K, D).

    - K <= 2D: exact. max(1, K - D) regular simplices in mutually orthogonal subspaces, all under a Haar-random
      rotation. One simplex, up to K = D + 1, is :func:`~mmpod.functional.pedcc`. With several, the largest cosine is 0,
      which is optimal (Rankin 1955); K = 2D is the orthoplex :math:`\pm q_j`.
    - K > 2D: the better of two constructions. The first has a closed form: K rows of a Kerdock table in the largest
      dimension :math:`D_0 = 4^s \le D`, with a largest cosine of :math:`1/\sqrt{D_0}`, for K up to :math:`D_0^2 + 2
      D_0`. They are rotated into R^D at random (Haar). Tables of more than 2**24 entries instead get a random
      permutation of the coordinates with random signs, which keeps their entries exact. The second is numerical and
      used if :func:`spread_method` says so: gradient descent from random points on :math:`\log\sum_{a \neq b}
      \exp(\beta\,p_a \cdot p_b)` over the sphere with increasing :math:`\beta`; the best arrangement found is returned.
      It is a local optimum, and another seed may give a slightly better one. Each step takes K^2 D operations and
      memory for K^2 numbers.

    Args:
        num_classes: K, at least 2.
        feat_dim: D, at least 1, and at least 2 for K > 2, since a line has only two directions.
        seed: Determines rotation and starting points, from 0 to 2**32 - 1. The same (K, D, seed) gives the same rows on
            every machine up to rounding; after a descent, rounding can lead two machines to different, equally good
            optima.
        steps: Number of steps of the descent, at least 2.
        progress: Called with the step and the largest cosine so far, after each tenth of the steps of a descent.
        dtype: Data type of the result, which is computed in float64; large Kerdock tables are built directly in this
            type, in which they are exact.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: An argument is out of range.

    Example:
        >>> octahedron = spread_centroids(6, 3)
        >>> round(abs(max_cosine(octahedron)), 12), round(max_cosine(spread_centroids(12, 3)), 4)
        (0.0, 0.4472)
        >>> max_cosine(spread_centroids(4224, 64)) - 1 / 8 < 1e-12
        True
    """
    check_integer('num_classes', num_classes, 2)
    check_integer('feat_dim', feat_dim, 1 if num_classes == 2 else 2)
    check_integer('seed', seed, 0, MAX_SEED)
    check_integer('steps', steps, 2)
    with torch.device('cpu'):  # whatever the default device: the numbers come from NumPy
        return _spread(num_classes, feat_dim, seed, steps, progress, dtype)


def _spread(
    num_classes: int, feat_dim: int, seed: int, steps: int, progress: Optional[Callable], dtype: torch.dtype
) -> Tensor:
    method, dim = spread_method(num_classes, feat_dim), kerdock_dim(num_classes, feat_dim)
    if method == 'simplices':
        parts = max(1, num_classes - feat_dim)
        frame = haar_frame(num_classes - parts, feat_dim, seed)
        return torch.cat([simplex(part) for part in frame.tensor_split(parts)]).to(dtype)
    if method == 'descent':
        points = _descend(num_classes, feat_dim, seed, steps, progress)
        if not dim or max_cosine(points) <= dim**-0.5:
            return points.to(dtype)
    return _turned_kerdock_rows(num_classes, feat_dim, dim, seed, dtype, exact=method == 'kerdock table')


def spread_method(num_classes: int, feat_dim: int) -> str:
    """Return how :func:`spread_centroids` finds K centroids in R^D.

    - ``'simplices'`` for K <= 2D;
    - ``'kerdock'`` if a Kerdock table has K rows and either its largest cosine is within 1.4 times
      :func:`max_cosine_lower_bound` or K is above 2,000, where a descent takes long; ``'kerdock table'`` if such a
      table has more than 2**24 entries; it is then bit-identical on every machine;
    - otherwise ``'descent'``, whose result is replaced by rows of a Kerdock table if those are better.

    Example:
        >>> spread_method(128, 64), spread_method(200, 64), spread_method(1000, 64), spread_method(1_000_000, 1024)
        ('simplices', 'descent', 'kerdock', 'kerdock table')
    """
    if num_classes <= 2 * feat_dim:
        return 'simplices'
    dim = kerdock_dim(num_classes, feat_dim)
    slow = num_classes > MAX_DESCENT
    if not dim or (not slow and dim**-0.5 > REACH * max_cosine_lower_bound(num_classes, feat_dim)):
        return 'descent'
    return 'kerdock table' if num_classes * feat_dim > LARGE_TABLE else 'kerdock'


def _turned_kerdock_rows(
    num_classes: int, feat_dim: int, dim: int, seed: int, dtype: torch.dtype, exact: bool
) -> Tensor:
    table = torch.empty(num_classes, feat_dim, dtype=dtype)
    chunks = torch.arange(num_classes).split(max(1, CHUNK // feat_dim))
    if not exact:
        rotation = haar_frame(dim, feat_dim, seed)
        for indices in chunks:
            table[indices[0] : indices[-1] + 1] = kerdock_rows(indices, dim) @ rotation
        return table
    random = np.random.RandomState(seed)
    order = torch.from_numpy(random.permutation(feat_dim))
    signs = torch.from_numpy(random.choice([-1.0, 1.0], dim)).to(dtype)
    for indices in chunks:
        rows = pad(kerdock_rows(indices, dim, dtype).mul_(signs), (0, feat_dim - dim))
        torch.index_select(rows, 1, order, out=table[indices[0] : indices[-1] + 1])
    return table


def _descend(num_classes: int, feat_dim: int, seed: int, steps: int, progress: Optional[Callable]) -> Tensor:
    points = torch.from_numpy(np.random.RandomState(seed).standard_normal((num_classes, feat_dim)))
    points /= points.norm(dim=1, keepdim=True)
    # Adam on the sphere with one second moment per point, so that steps keep the direction of the averaged gradient.
    mean, square = torch.zeros_like(points), points.new_zeros(num_classes, 1)
    best, smallest = points, math.inf
    for step in range(1, steps + 1):
        cosines = (points @ points.T).fill_diagonal_(-math.inf)
        largest = cosines.max()
        if largest < smallest:
            best, smallest = points, largest.item()
        if progress is not None and step * 10 // steps > (step - 1) * 10 // steps:
            progress(step, smallest)
        done = (step - 1) / (steps - 1)
        sharpness, length = (first * (last / first) ** done for first, last in (SHARPNESS, STEP))
        weights = cosines.sub_(largest).mul_(sharpness).exp_()
        slope = weights @ points / weights.sum()
        slope -= (slope * points).sum(dim=1, keepdim=True) * points
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope.square().sum(dim=1, keepdim=True)
        unbiased = mean / (1 - 0.9**step), square / (1 - 0.99**step)
        # The epsilon keeps points without a gradient where they are.
        points = points - length * unbiased[0] / (unbiased[1].sqrt() + 1e-12)
        points /= points.norm(dim=1, keepdim=True)
    return best


def max_cosine(unit_vectors: Tensor) -> float:
    """Return the largest inner product of two different rows, in K^2 D operations.

    Args:
        unit_vectors: Shape (K, D), unit rows, K at least 2.

    Example:
        >>> max_cosine(torch.tensor([[1., 0.], [0., 1.], [-1., 0.]]))
        0.0
    """
    largest = -math.inf
    for start in range(0, len(unit_vectors), max(1, CHUNK // len(unit_vectors))):
        cosines = unit_vectors[start : start + max(1, CHUNK // len(unit_vectors))] @ unit_vectors.T
        cosines.diagonal(start).fill_(-math.inf)
        largest = max(largest, cosines.max().item())
    return largest


def max_cosine_lower_bound(num_classes: int, feat_dim: int) -> float:
    r"""Return a lower bound on the largest pairwise cosine of K unit vectors of R^D.

    - K <= D + 1: :math:`-1/(K-1)`, the simplex bound, attained by PEDCC.
    - K <= 2D: 0 (Rankin 1955), attained by :func:`spread_centroids`.
    - K > 2D: the s at which Levenshtein's bound of third degree, :math:`K \le D(1-s)(2+(D+1)s)/(1-Ds^2)`, holds with
      equality, up to the end of its range, :math:`s = (\sqrt{D+3}-1)/(D+2)`; for more than about D^2/2 classes it stays
      there and is loose.

    Welch's bound, :math:`\sqrt{(K-D)/(D(K-1))}`, bounds the largest *absolute* cosine, that of lines. Centroids may be
    opposite, so their largest cosine can be below it.

    Example:
        >>> max_cosine_lower_bound(3, 2), max_cosine_lower_bound(4, 2), round(max_cosine_lower_bound(27, 6), 12)
        (-0.5, 0.0, 0.25)
    """
    check_integer('num_classes', num_classes, 2)
    check_integer('feat_dim', feat_dim, 1 if num_classes == 2 else 2)
    if num_classes <= feat_dim + 1:
        return -1 / (num_classes - 1)
    if num_classes <= 2 * feat_dim:
        return 0.0
    # Equality is D(D+1-K) s^2 - D(D-1) s + K - 2D = 0; the leading coefficient is negative.
    a, b, c = feat_dim * (feat_dim + 1 - num_classes), feat_dim * (feat_dim - 1), num_classes - 2 * feat_dim
    return min((b - math.sqrt(b * b - 4 * a * c)) / (2 * a), (math.sqrt(feat_dim + 3) - 1) / (feat_dim + 2))

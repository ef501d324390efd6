r"""Centroids for more classes than a regular simplex has vertices, K > D + 1: spread as evenly as R^D allows.

No K unit vectors of R^D then have equal pairwise cosines; what can be asked for is a small largest cosine.
"""

import math
from collections.abc import Callable
from typing import Optional

import numpy as np
import torch
from torch import Tensor

from mmpod.utils.checks import check_integer

from .centroids import MAX_SEED, haar_frame, simplex

__all__ = ['max_cosine', 'max_cosine_lower_bound', 'spread_centroids']

# Annealing, each from first to last in geometric steps: the sharpness of the soft maximum over all pairs, and the
# distance that a point moves in a step. By them 100 points in R^16 come within 0.003 of five times as many steps.
SHARPNESS = (10.0, 3e4)
STEP = (0.1, 1e-5)


def spread_centroids(
    num_classes: int,
    feat_dim: int,
    seed: int = 0,
    steps: int = 1500,
    progress: Optional[Callable[[int, float], None]] = None,
) -> Tensor:
    r"""Return K unit vectors of R^D whose largest pairwise cosine is as small as can be had.

    - K <= 2D: exact. max(1, K - D) regular simplices in mutually orthogonal subspaces, all turned by a Haar-random
      rotation. One simplex, up to K = D + 1, is :func:`~mmpod.functional.pedcc`; with several the largest cosine is 0,
      between two of them, which no arrangement beats (Rankin 1955); K = 2D is the orthoplex :math:`\pm q_j`.
    - K > 2D: numerical. From random points of the seed, descend :math:`\log\sum_{a \neq b} \exp(\beta\,p_a \cdot p_b)`
      on the sphere with a rising :math:`\beta`; the best arrangement on the way is returned. A local optimum: another
      seed may give a slightly better one. Each step takes K^2 D operations, and K^2 numbers of memory.

    Args:
        num_classes: K, at least 2.
        feat_dim: D, at least 1, and at least 2 for K > 2: on a line there are two directions.
        seed: Chooses rotation and start, from 0 to 2**32 - 1. Up to K = 2D the same (K, D, seed) gives the same rows on
            every machine up to rounding; beyond, rounding can lead two machines to different, equally good optima.
        steps: Of the descent, at least 2; unused up to K = 2D.
        progress: Called with the step and the largest cosine so far, after each tenth of the steps.

    Returns:
        Tensor: Shape (K, D), float64.

    Raises:
        TypeError: An argument is no integer.
        ValueError: An argument is out of range.

    Example:
        >>> octahedron = spread_centroids(6, 3)
        >>> round(abs(max_cosine(octahedron)), 12), round(max_cosine(spread_centroids(12, 3)), 4)
        (0.0, 0.4472)
    """
    check_integer('num_classes', num_classes, 2)
    check_integer('feat_dim', feat_dim, 1 if num_classes == 2 else 2)
    check_integer('seed', seed, 0, MAX_SEED)
    check_integer('steps', steps, 2)
    if num_classes > 2 * feat_dim:
        return _descend(num_classes, feat_dim, seed, steps, progress)
    parts = max(1, num_classes - feat_dim)
    frame = haar_frame(num_classes - parts, feat_dim, seed)
    return torch.cat([simplex(part) for part in frame.tensor_split(parts)])


def _descend(num_classes: int, feat_dim: int, seed: int, steps: int, progress: Optional[Callable]) -> Tensor:
    points = torch.from_numpy(np.random.RandomState(seed).standard_normal((num_classes, feat_dim)))
    points /= points.norm(dim=1, keepdim=True)
    # Adam on the sphere: one second moment a point, so that the direction of its step is the gradient's.
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
        # The small number keeps points that nothing pushes where they are.
        points = points - length * unbiased[0] / (unbiased[1].sqrt() + 1e-12)
        points /= points.norm(dim=1, keepdim=True)
    return best


def max_cosine(unit_vectors: Tensor) -> float:
    """Return the largest inner product of two different rows.

    Args:
        unit_vectors: Shape (K, D), unit rows, K at least 2.

    Example:
        >>> max_cosine(torch.tensor([[1., 0.], [0., 1.], [-1., 0.]]))
        0.0
    """
    return (unit_vectors @ unit_vectors.T).fill_diagonal_(-math.inf).max().item()


def max_cosine_lower_bound(num_classes: int, feat_dim: int) -> float:
    r"""Return a value that the largest cosine of K unit vectors of R^D cannot fall below.

    - K <= D + 1: :math:`-1/(K-1)`, the simplex bound, which PEDCC reach.
    - K <= 2D: 0 (Rankin 1955), which :func:`spread_centroids` reach.
    - K > 2D: the s at which Levenshtein's bound of third degree,
      :math:`K \le D(1-s)(2+(D+1)s)/(1-Ds^2)`, holds with equality, up to the end of its range,
      :math:`s = (\sqrt{D+3}-1)/(D+2)`; for very many classes, above about D^2/2, it stays there and says little.

    Welch's bound, :math:`\sqrt{(K-D)/(D(K-1))}`, is one on the largest *absolute* cosine, of lines: opposite centroids
    are welcome here, and largest cosines below it are possible.

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

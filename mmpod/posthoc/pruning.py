r"""Finding the largest of K Gaussian log-densities without computing all of them.

The Mahalanobis distance of a linear image never exceeds that of the vector itself: with a matrix A of b columns,
:math:`(A^T r)^T (A^T \Sigma A)^{-1} (A^T r) \le r^T \Sigma^{-1} r`. So b^2 operations a class bound each log-density
from above, where the density itself takes D^2; a class whose bound is below what another class reaches is out.
A holds the b directions in which the class means differ most, relative to the covariance about them.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mmpod.functional.gaussian import factor_covariance, log_densities, squared_distances
from mmpod.functional.moments import ClassMoments

from .fitting import Fit

__all__ = ['Projection', 'prune_and_classify']

# Bounds are compared with this much to spare for rounding, relative to the distances.
SLACK = 1e-9
# Above this share of pairs left, computing all of them in order is faster than picking them out.
MANY = 0.2
# log_densities includes -D log(2 pi) / 2, the bounds do not.
CONSTANT = math.log(2 * math.pi) / 2


class Projection(NamedTuple):
    """The linear image in which the bounds are computed.

    Attributes:
        directions: A, shape (D, b).
        means: Projected class means, shape (K, b).
        units: Factors of the projected covariances, shape (K, b, b).
        pivots: Their pivots, shape (K, b).
        volumes: Twice the log of prior over root determinant of the *full* covariances, shape (K,).
    """

    directions: Tensor
    means: Tensor
    units: Tensor
    pivots: Tensor
    volumes: Tensor

    @classmethod
    def of(cls, moments: ClassMoments, fit: Fit) -> 'Projection':
        """Choose the directions and project the fitted covariances."""
        num_classes, dim = moments.means.shape
        width = min(num_classes, max(1, dim // 4))
        weights = fit.log_priors.exp()
        pooled = torch.zeros_like(moments.scatter[0])
        eye = torch.eye(dim).to(pooled)
        for k in range(num_classes):
            pooled.add_(_covariance(moments.scatter[k], fit.pivots[k], eye), alpha=weights[k].item())
        root = torch.linalg.cholesky(pooled)
        spread = weights.sqrt().unsqueeze(1) * (moments.means - weights @ moments.means)
        whitened = torch.linalg.solve_triangular(root, spread.T, upper=False)
        basis = torch.linalg.svd(whitened, full_matrices=False)[0][:, :width]
        directions = torch.linalg.solve_triangular(root.T, basis, upper=True)

        units, pivots = [], []
        for k in range(num_classes):
            half = (moments.scatter[k].triu(1) + eye) @ directions
            unit, pivot, _ = factor_covariance(half.T @ (fit.pivots[k].unsqueeze(1) * half))
            units.append(unit)
            pivots.append(pivot)
        volumes = 2 * fit.log_priors - fit.pivots.log().sum(1)
        return cls(directions, moments.means @ directions, torch.stack(units), torch.stack(pivots), volumes)


def _covariance(packed: Tensor, pivots: Tensor, eye: Tensor) -> Tensor:
    unit = packed.triu(1) + eye
    return unit.T @ (pivots.unsqueeze(1) * unit)


def prune_and_classify(rows: Tensor, moments: ClassMoments, fit: Fit, projection: Projection) -> Tensor:
    """Return the argmax over the classes of prior times density, shape (N,).

    Args:
        rows: Shape (N, D).
        moments: Means, (K, D), and factors in the upper half of the scatter, (K, D, D).
        fit: Priors and pivots.
        projection: See :class:`Projection`.
    """
    rows = rows.double()
    shadows = rows @ projection.directions
    distances = squared_distances(shadows, projection.means, projection.units, projection.pivots)
    bounds = (projection.volumes - distances * (1 - SLACK)) / 2

    def reached(samples: Tensor, classes: Tensor) -> Tensor:
        """Return log prior plus log-density of pairs, without the constant; one product a class."""
        values = rows.new_empty(len(samples))
        order = classes.argsort()
        for part in order.split(torch.bincount(classes).tolist()):
            if len(part):
                k = slice(int(classes[part[0]]), int(classes[part[0]]) + 1)
                density = log_densities(rows[samples[part]], moments.means[k], moments.scatter[k], fit.pivots[k])
                values[part] = density.squeeze(1) + fit.log_priors[k]
        return values + rows.shape[1] * CONSTANT

    everyone = torch.arange(len(rows), device=rows.device)
    winners = bounds.argmax(dim=1)
    best = reached(everyone, winners)
    scores = torch.full_like(bounds, -float('inf'))
    scores[everyone, winners] = best
    rivals = bounds >= (best - SLACK * best.abs()).unsqueeze(1)
    rivals[everyone, winners] = False
    if rivals.sum() > MANY * rivals.numel():
        joint = log_densities(rows, moments.means, moments.scatter, fit.pivots) + fit.log_priors
        return joint.argmax(dim=1)
    samples, classes = rivals.nonzero(as_tuple=True)
    if len(samples):
        scores[samples, classes] = reached(samples, classes)
    return scores.argmax(dim=1)

r"""Finding the largest of K Gaussian log-densities without computing all of them in full.

Two kinds of bounds rule classes out; what they leave open is computed in float64, so that the result is the same.

The Mahalanobis distance of a linear image never exceeds that of the vector itself: with a matrix A of b columns,
:math:`(A^T r)^T (A^T \Sigma A)^{-1} (A^T r) \le r^T \Sigma^{-1} r`. So b^2 operations a class bound each log-density
from above, where the density itself takes D^2. A holds the b directions in which the class means differ most, relative
to the covariance about them. Of the classes that are left, float32 gives densities with a bound on their error.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mmpod.functional.gaussian import factor_covariance, squared_distances
from mmpod.functional.moments import ClassMoments

from .fitting import Fit

__all__ = ['Projection', 'prune_and_classify']

# Bounds are compared with this much to spare for rounding, relative to the distances.
SLACK = 1e-9
# Panels of the triangular product, and its rows at a time.
PANELS, BLOCK = 4, 2048


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
    distances = squared_distances(rows @ projection.directions, projection.means, projection.units, projection.pivots)
    upper = (projection.volumes - distances * (1 - SLACK)) / 2
    lower = torch.full_like(upper, -math.inf)

    def settle(pairs: Tensor) -> None:
        """Compute the densities of the pairs, shape (N, K), bool, in float64."""
        for k in pairs.any(dim=0).nonzero().flatten().tolist():
            part = pairs[:, k].nonzero().flatten()
            lower[part, k] = upper[part, k] = _joint(rows[part], moments, fit, k)

    def left() -> Tensor:
        best = lower.amax(dim=1, keepdim=True)
        return upper >= best - SLACK * best.abs()

    settle(torch.nn.functional.one_hot(upper.argmax(dim=1), upper.shape[1]).bool())
    rivals = left() & (lower < upper)
    if _single_precision_is_single(rows):
        single = SinglePrecision(rows, moments, fit)
        # Fewer rows are faster in float64 than the inverse of the factor that they would need.
        for k in (rivals.sum(dim=0) > rows.shape[1]).nonzero().flatten().tolist():
            part = rivals[:, k].nonzero().flatten()
            value, error = single.joint(part, k)
            lower[part, k], upper[part, k] = value - error, value + error
    settle(left() & (lower < upper) & (left().sum(dim=1, keepdim=True) > 1))
    return upper.masked_fill(~left(), -math.inf).argmax(dim=1)


def _joint(rows: Tensor, moments: ClassMoments, fit: Fit, k: int) -> Tensor:
    """Return log prior plus log-density of one class without the constant, which the bounds leave out too."""
    part = slice(k, k + 1)
    distances = squared_distances(rows, moments.means[part], moments.scatter[part], fit.pivots[part])
    return fit.log_priors[k] - (distances.squeeze(1) + fit.pivots[k].log().sum()) / 2


def _single_precision_is_single(rows: Tensor) -> bool:
    """Say whether float32 products carry 24 bits; accelerators and settings may give them fewer."""
    return rows.device.type == 'cpu' and torch.get_float32_matmul_precision() == 'highest'


class SinglePrecision:
    r"""Log-densities in float32 with a bound on their error, in a third of the time of float64.

    The whitened residual is the product of x - m with :math:`W = L^{-T}`, panel by panel above the diagonal. Rounding
    changes it by no more than :math:`(D + 4) u \|W\|_F (\|x\| + \|m\|)` with u = 2^-24, x and m about the middle of the
    means.

    Args:
        rows: Shape (N, D), float64.
        moments, fit: As for :func:`prune_and_classify`.
    """

    def __init__(self, rows: Tensor, moments: ClassMoments, fit: Fit):
        self.middle = moments.means.mean(dim=0)
        rows = rows - self.middle
        self.scale = rows.abs().max().clamp_min(torch.finfo(torch.float64).tiny)  # keeps float32 in its range
        self.rows = (rows / self.scale).float()
        self.lengths = torch.linalg.vector_norm(self.rows, dim=1, dtype=torch.float64)
        self.moments, self.fit = moments, fit
        self.eye = torch.eye(rows.shape[1], dtype=torch.float64)

    def joint(self, samples: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Return log prior plus log-density of class k without the constant, and the bound, both of shape (n,)."""
        pivots, mean = self.fit.pivots[k], (self.moments.means[k] - self.middle) / self.scale
        inverse = torch.linalg.solve_triangular(self.moments.scatter[k], self.eye, upper=True, unitriangular=True)
        inverse *= self.scale / pivots.sqrt()
        offset, single = (mean @ inverse).float(), inverse.float()
        squares = torch.zeros(len(samples))
        width = -(-len(pivots) // PANELS)
        rows = self.rows[samples]
        for part, target in zip(rows.split(BLOCK), squares.split(BLOCK)):
            for start in range(0, len(pivots), width):
                columns = slice(start, start + width)
                above = slice(0, start + width)
                whitened = torch.addmm(offset[columns], part[:, above], single[above, columns], beta=-1)
                target += torch.linalg.vector_norm(whitened, dim=1).square()
        length = squares.double().sqrt()
        unit = torch.finfo(torch.float32).eps / 2
        error = (len(pivots) + 4) * unit * (torch.linalg.vector_norm(inverse) * (self.lengths[samples] + mean.norm()))
        error = error + (len(pivots) + 4) * unit * length  # of summing the squares
        bound = error * (length + error / 2)
        value = self.fit.log_priors[k] - (length.square() + pivots.log().sum()) / 2
        invalid = ~torch.isfinite(value + bound)  # out of the range of float32
        return value.masked_fill(invalid, 0), bound.masked_fill(invalid, math.inf)

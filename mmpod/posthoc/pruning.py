r"""Finding the largest of K Gaussian log-densities without computing all of them in full.

Bounds rule classes out; what they leave open is computed in float64, so that the result is the same.

The Mahalanobis distance of a linear image never exceeds that of the vector itself: with a matrix A of b columns,
:math:`(A^T r)^T (A^T \Sigma A)^{-1} (A^T r) \le r^T \Sigma^{-1} r`. So b^2 operations a class bound each log-density
from above, where the density itself takes D^2. A holds the b directions in which the class means differ most, relative
to the covariance about them. For the classes that are left, A takes the first of the dimensions; for those that are
left then, low precision gives the densities with a bound on the error, see :mod:`mmpod.posthoc.bounded_densities`.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mmpod.functional.gaussian import factor_covariance, squared_distances
from mmpod.functional.moments import ClassMoments

from .bounded_densities import SLACK, BoundedDensities, Gaussians, fast_precisions
from .fitting import Fit

__all__ = ['Projection', 'prune_and_classify']

# The part of the dimensions whose distances are bounded before those of all, as was fastest in benchmarks/gda.py.
LEADING = 3 / 4


class Projection(NamedTuple):
    """The Gaussians of a fit, and their image under the linear map in which they are bounded first.

    Attributes:
        directions: A, shape (D, b).
        image: Means and covariances under A; its volumes are those of the *full* covariances.
        full: The Gaussians themselves.
    """

    directions: Tensor
    image: Gaussians
    full: Gaussians

    @classmethod
    def of(cls, moments: ClassMoments, fit: Fit) -> 'Projection':
        """Choose the directions and project the fitted covariances."""
        num_classes, dim = moments.means.shape
        width = min(num_classes, max(1, dim // 4))
        weights = fit.log_priors.exp()
        pooled = torch.zeros_like(moments.scatter[0])
        eye = torch.eye(dim).to(pooled)
        for k in range(num_classes):
            unit = moments.scatter[k].triu(1) + eye
            pooled.add_(unit.T @ (fit.pivots[k].unsqueeze(1) * unit), alpha=weights[k].item())
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
        image = Gaussians(moments.means @ directions, torch.stack(units), torch.stack(pivots), volumes)
        return cls(directions, image, Gaussians(moments.means, moments.scatter, fit.pivots, volumes))


def prune_and_classify(rows: Tensor, projection: Projection) -> Tensor:
    """Return the argmax over the classes of prior times density, shape (N,).

    Args:
        rows: Shape (N, D).
        projection: See :class:`Projection`.
    """
    rows = rows.double()
    full, precisions = projection.full, fast_precisions(rows.device)
    upper = rows.new_full((len(full.means), len(rows)), math.inf)
    lower = -upper

    def left() -> Tensor:
        best = lower.amax(dim=0)
        return upper >= best - SLACK * best.abs()

    def bound(rows: Tensor, gaussians: Gaussians, dtype: torch.dtype) -> None:
        """Tighten the bounds of the pairs that are left; an image of the rows gives upper bounds only."""
        rivals = left() & (lower < upper)
        # Fewer rows are faster in float64 than the inverse of the factor that they would need.
        worthwhile = (rivals.sum(dim=1) > rows.shape[1]).nonzero().flatten().tolist()
        densities = BoundedDensities(rows, gaussians, dtype) if worthwhile else None
        for k in worthwhile:
            part = rivals[k].nonzero().flatten()
            value, error = densities.joint(part, k)
            upper[k, part] = torch.minimum(upper[k, part], value + error)
            if gaussians is full:
                lower[k, part] = torch.maximum(lower[k, part], value - error)

    def settle(pairs: Tensor) -> None:
        """Compute the densities of the pairs, shape (K, N), bool, in float64."""
        for k in pairs.any(dim=1).nonzero().flatten().tolist():
            part = pairs[k].nonzero().flatten()
            lower[k, part] = upper[k, part] = _joint(rows[part], full, k)

    image = rows @ projection.directions
    if len(image) > image.shape[1]:
        bound(image, projection.image, (precisions or [torch.float64])[0])
    else:
        means, units, pivots, volumes = projection.image
        upper = (volumes - squared_distances(image, means, units, pivots) * (1 - SLACK)).T / 2
    settle(torch.nn.functional.one_hot(upper.argmax(dim=0), len(upper)).bool().T)
    leading = int(LEADING * rows.shape[1])
    if precisions and leading:
        bound(rows[:, :leading], full.leading(leading), precisions[0])
    for dtype in precisions:
        bound(rows, full, dtype)
    settle(left() & (lower < upper) & (left().sum(dim=0) > 1))
    return upper.masked_fill(~left(), -math.inf).argmax(dim=0)


def _joint(rows: Tensor, gaussians: Gaussians, k: int) -> Tensor:
    """Return log prior plus log-density of one class without the constant, which the bounds leave out too."""
    part = slice(k, k + 1)
    distances = squared_distances(rows, gaussians.means[part], gaussians.units[part], gaussians.pivots[part])
    return (gaussians.volumes[k] - distances.squeeze(1)) / 2

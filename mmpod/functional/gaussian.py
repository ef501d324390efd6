r"""Gaussian log-densities through triangular factors.

Each covariance is factored once, :math:`\Sigma = M \Delta M^T` with M unit lower triangular and a positive diagonal
:math:`\Delta`, from its Cholesky factor. M is kept transposed, strictly above the diagonal, so that one square array
can hold a symmetric matrix in the rest. Nothing is inverted.
"""

import math

import torch
from torch import Tensor

__all__ = ['factor_covariance', 'log_densities', 'squared_distances']

# Doubles in one array of residuals, 4 MiB: large enough for the matrix kernels, small enough for the cache.
MAX_RESIDUALS = 2**19


def factor_covariance(covariance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return :math:`M^T`, the diagonal of :math:`\Delta`, and whether the factorisation is to be relied on.

    Args:
        covariance: Shape (..., D, D), symmetric, float64.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Unit upper triangular, (..., D, D); pivots, (..., D), above 0 where the third
        is True, (...); False for a covariance that is singular to working precision.

    Example:
        >>> unit, pivots, regular = factor_covariance(torch.tensor([[4., 2.], [2., 5.]]).double())
        >>> unit.tolist(), pivots.tolist(), regular.item()
        ([[1.0, 0.5], [0.0, 1.0]], [4.0, 4.0], True)
    """
    root, info = torch.linalg.cholesky_ex(covariance)
    lengths = root.diagonal(dim1=-2, dim2=-1)
    pivots = lengths.square()
    scale = covariance.diagonal(dim1=-2, dim2=-1).amax(-1)
    tolerance = covariance.shape[-1] * torch.finfo(covariance.dtype).eps * scale
    regular = (info == 0) & (pivots.amin(-1) > tolerance)
    unit = root.mT / torch.where(lengths > 0, lengths, 1).unsqueeze(-1)
    return unit, pivots, regular


def squared_distances(features: Tensor, means: Tensor, units: Tensor, pivots: Tensor) -> Tensor:
    r"""Return the squared Mahalanobis distances :math:`(x - m_k)^T \Sigma_k^{-1} (x - m_k)`.

    Args:
        features: Shape (N, D), float64.
        means: Shape (K, D).
        units: :math:`M^T`, shape (K, D, D), or (D, D) where all classes share one covariance; only what is strictly
            above the diagonal is read.
        pivots: Shape (K, D), or (D,).

    Returns:
        Tensor: Shape (N, K), at least 0.

    Example:
        >>> x, m = torch.tensor([[3., 4.]]).double(), torch.zeros(1, 2).double()
        >>> squared_distances(x, m, torch.eye(2).double(), torch.tensor([9., 4.]).double())
        tensor([[5.]], dtype=torch.float64)
    """
    if units.ndim == 2:
        # Relative to the middle of the means, where the expanded square loses least.
        middle = means.mean(dim=0)
        x, m = (_solve(rows - middle, units) / pivots.sqrt() for rows in (features, means))
        return torch.addmm(x.square().sum(1, keepdim=True) + m.square().sum(1), x, m.T, alpha=-2).clamp_min(0)
    result, inverse = features.new_empty(len(features), len(means)), 1 / pivots.unsqueeze(-1)
    step = max(1, MAX_RESIDUALS // features.shape[1])
    for rows, target in zip(features.split(step), result.split(step)):
        chunk = max(1, MAX_RESIDUALS // max(1, rows.numel()))
        for start in range(0, len(means), chunk):
            part = slice(start, start + chunk)
            solved = _solve(rows - means[part].unsqueeze(1), units[part])
            target[:, part] = (solved.square_() @ inverse[part]).squeeze(-1).T
    return result


def _solve(rows: Tensor, unit: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(unit, rows, upper=True, left=False, unitriangular=True)


def log_densities(features: Tensor, means: Tensor, units: Tensor, pivots: Tensor) -> Tensor:
    r"""Return :math:`\log N(x; m_k, \Sigma_k)`, shape (N, K); the arguments are those of :func:`squared_distances`.

    Example:
        >>> x, m = torch.zeros(1, 2).double(), torch.zeros(1, 2).double()
        >>> log_densities(x, m, torch.eye(2).double(), torch.ones(2).double())
        tensor([[-1.8379]], dtype=torch.float64)
    """
    volume = pivots.log().sum(-1) + features.shape[1] * math.log(2 * math.pi)
    return -(squared_distances(features, means, units, pivots) + volume) / 2

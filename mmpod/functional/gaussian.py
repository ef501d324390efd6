r"""Distances under Gaussians, and the most probable one, through triangular factors.

Each covariance is factored once, :math:`\Sigma = L L^T`. Its inverse factor :math:`V = L^{-1}` whitens: the squared
Mahalanobis distance of x is :math:`\|V (x - m)\|^2`. V is lower triangular, so that the first d entries of
:math:`V (x - m)` need only the first d of x - m.
"""

from typing import Optional

import torch
from torch import Tensor

__all__ = ['cholesky_factor', 'most_probable', 'squared_distances', 'whitening_factor']

# Float64 numbers in one array of whitened rows, 32 MiB.
CANCELLED = 1e-8  # a squared distance this small, relative to the squares it is the difference of, is computed anew
MAX_WHITENED = 2**22
# Dimensions compared before classes are ruled out; the fastest value in benchmarks/gda.py.
PANEL = 64
# Rows per matrix product.
BLOCK = 2048


def cholesky_factor(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lower triangular Cholesky factors of covariances (..., D, D), and whether they are regular, (...).

    Regular means positive definite to working precision; the factor of any other covariance is undefined.
    """
    factor, info = torch.linalg.cholesky_ex(covariance)
    pivots = factor.diagonal(dim1=-2, dim2=-1).square().amin(-1)
    scale = covariance.diagonal(dim1=-2, dim2=-1).amax(-1)
    return factor, (info == 0) & (pivots > covariance.shape[-1] * torch.finfo(covariance.dtype).eps * scale)


def whitening_factor(factor: Tensor) -> Tensor:
    r"""Return :math:`V = L^{-1}` of lower triangular factors (..., D, D) without zeros on the diagonal."""
    return torch.linalg.solve_triangular(factor, torch.eye(factor.shape[-1]).to(factor), upper=False)


def squared_distances(features: Tensor, means: Tensor, whitening: Optional[Tensor] = None) -> Tensor:
    r"""Return the squared Mahalanobis distances :math:`(x - m_k)^T \Sigma_k^{-1} (x - m_k)`, shape (N, K).

    Args:
        features: Shape (N, D), float64.
        means: Shape (K, D).
        whitening: V, shape (K, D, D), or (D, D) if all classes share one covariance; by default the identity.
    """
    if whitening is None or whitening.ndim == 2:
        # Relative to the centre of the means, where expanding the square loses the least precision.
        x, m = (rows - means.mean(dim=0) for rows in (features, means))
        x, m = (x, m) if whitening is None else (x @ whitening.T, m @ whitening.T)
        scale = x.square().sum(1, keepdim=True) + m.square().sum(1)
        result = torch.addmm(scale, x, m.T, alpha=-2)
        rows, classes = torch.nonzero(result < CANCELLED * scale, as_tuple=True)
        result[rows, classes] = (x[rows] - m[classes]).square().sum(dim=1)
        return result
    result = features.new_empty(len(features), len(means))
    for rows, target in zip(*(part.split(max(1, MAX_WHITENED // features.shape[1])) for part in (features, result))):
        for k, (mean, factor) in enumerate(zip(means, whitening)):
            target[:, k] = ((rows - mean) @ factor.T).square_().sum(dim=1)
    return result


def most_probable(features: Tensor, means: Tensor, whitening: Tensor, log_offsets: Tensor) -> Tensor:
    r"""Return the argmax over the classes of :math:`b_k - \|V_k (x - m_k)\|^2 / 2`, shape (N,), int64.

    The first d entries of :math:`V_k (x - m_k)` bound the distance from below, at d^2 operations instead of D^2. On a
    CPU, the computation stops for classes that the bound rules out, which pays off if the first dimensions separate the
    classes. On an accelerator all distances are computed in full, because selecting the remaining classes would stall
    it.

    Args:
        features: Shape (N, D), float64.
        means: Shape (K, D).
        whitening: V, lower triangular, shape (K, D, D).
        log_offsets: b, shape (K,).
    """
    if features.device.type != 'cpu':
        return (log_offsets - squared_distances(features, means, whitening) / 2).argmax(dim=1)
    dim, shifts = features.shape[1], whitening @ means.unsqueeze(2)
    first = min(PANEL, dim)
    upper = log_offsets.unsqueeze(1).repeat(1, len(features))  # (K, N): no distance is subtracted yet

    # Buffers reused by all products: allocating new ones would take longer than the products.
    gathered, whitened = features.new_empty(2, BLOCK * dim)

    def subtract(k: int, samples: Tensor, start: int, stop: int) -> None:
        """Subtract entries ``start`` to ``stop`` of the distances of samples to class k."""
        for part in samples.split(BLOCK):
            rows, z = gathered[: len(part) * stop], whitened[: len(part) * (stop - start)]
            rows, z = rows.view(len(part), stop), z.view(stop - start, len(part))
            torch.index_select(features[:, :stop], 0, part, out=rows)
            torch.mm(whitening[k, start:stop, :stop], rows.T, out=z)
            upper[k, part] -= z.sub_(shifts[k, start:stop]).square_().sum(dim=0) / 2

    for k in range(len(means)):
        subtract(k, torch.arange(len(features)), 0, first)
    candidates = upper.argmax(dim=0)
    for k in range(len(means)):
        subtract(k, (candidates == k).nonzero().flatten(), first, dim)
    best = upper.gather(0, candidates.unsqueeze(0)).squeeze(0)  # the scores to beat
    for start in range(first, dim, PANEL):
        left = upper > best
        for k in left.any(dim=1).nonzero().flatten().tolist():
            subtract(k, left[k].nonzero().flatten(), start, min(start + PANEL, dim))
    return torch.where(upper.amax(dim=0) > best, upper.argmax(dim=0), candidates)

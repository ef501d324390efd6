r"""Shrinking a covariance towards a scaled identity, so that it is invertible for any number of samples.

:math:`\hat\Sigma = (1 - \alpha)\Sigma + \alpha\mu I` with :math:`\mu = \mathrm{tr}(\Sigma)/D`. The paper (arXiv
2111.15449 v1, Table VII) mentions no regularisation, yet 500 samples per class in 512 dimensions need it.
"""

import torch
from torch import Tensor

__all__ = ['gaussian_shrinkage', 'ledoit_wolf_shrinkage', 'shrink']


def _traces(scatter: Tensor) -> tuple[Tensor, Tensor]:
    """Return tr(S) and tr(S^2) of symmetric matrices."""
    return scatter.diagonal(dim1=-2, dim2=-1).sum(-1), torch.linalg.vector_norm(scatter, dim=(-2, -1)).square()


def _intensity(error: Tensor, square: Tensor, trace: Tensor, dim: int) -> Tensor:
    """Return error / (tr S^2 - (tr S)^2 / D) clipped to [0, 1]; 0 if S is already a scaled identity."""
    distance = square - trace**2 / dim
    shaped = distance > 64 * torch.finfo(square.dtype).eps * square
    return torch.where(shaped, (error / torch.where(shaped, distance, 1)).clamp(0, 1), 0)


def ledoit_wolf_shrinkage(scatter: Tensor, fourth: Tensor, counts: Tensor) -> Tensor:
    r"""Return the Ledoit-Wolf (2004) intensity, which minimises the expected squared error, from streamed sums.

    With :math:`S = \sum z z^T / n`, it is the squared error of S, :math:`(\sum\|z\|^4/n - \mathrm{tr}\,S^2)/n`, divided
    by its squared distance from the identity, :math:`\mathrm{tr}\,S^2 - (\mathrm{tr}\,S)^2/D`, but at most 1.

    Args:
        scatter: :math:`\sum z z^T`, shape (..., D, D).
        fourth: :math:`\sum \|z\|^4`, shape (...).
        counts: n, shape (...).

    Returns:
        Tensor: Shape (...), in [0, 1]. 0 for fewer than three samples, too few to estimate the error of S.

    Example:
        >>> rows = torch.tensor([[1., 0.], [-1., 0.], [0., 2.], [0., -2.]])
        >>> ledoit_wolf_shrinkage(rows.T @ rows, torch.tensor(34.), torch.tensor(4.))
        tensor(0.9444)
    """
    n = counts.clamp_min(1).to(scatter.dtype)
    trace, square = _traces(scatter)
    trace, square = trace / n, square / n**2
    return _intensity((fourth / n - square) / n, square, trace, scatter.shape[-1])


def gaussian_shrinkage(scatter: Tensor, degrees: Tensor) -> Tensor:
    r"""Return the Ledoit-Wolf intensity in its Rao-Blackwell form for Gaussian data, in [0, 1], from the scatter.

    The conditional mean of the Ledoit-Wolf estimate given S (Chen, Wiesel, Eldar and Hero, IEEE TSP 2010, Eq. 17):
    :math:`\frac{(n-2)/n\,\mathrm{tr}\,S^2 + (\mathrm{tr}\,S)^2}{(n+2)(\mathrm{tr}\,S^2 - (\mathrm{tr}\,S)^2/D)}`, at
    most 1. With one degree of freedom it is 1, because the formula gives 0 there, which would leave S singular. It is
    for a scatter pooled over classes: without one scatter per class, fourth moments about the final class means cannot
    be streamed.

    Args:
        scatter: :math:`n S`, shape (..., D, D).
        degrees: n, degrees of freedom (samples minus estimated means), shape (...).
    """
    n = degrees.clamp_min(1).to(scatter.dtype)
    trace, square = _traces(scatter)
    trace, square = trace / n, square / n**2
    intensity = _intensity(((n - 2) / n * square + trace**2) / (n + 2), square, trace, scatter.shape[-1])
    return torch.where(n > 1, intensity, 1)


def shrink(covariance: Tensor, intensity: Tensor) -> Tensor:
    """Return covariances (..., D, D) shrunk towards a scaled identity by intensities (...); see the module."""
    shrunk = (1 - intensity)[..., None, None] * covariance
    shrunk.diagonal(dim1=-2, dim2=-1).add_((intensity * _traces(covariance)[0] / covariance.shape[-1]).unsqueeze(-1))
    return shrunk

r"""Gaussian log-densities in low precision, with a bound on their error.

The Mahalanobis distance of x is the length of :math:`W^T (x - m)` with :math:`\Sigma^{-1} = W W^T`. W is upper
triangular, so that its product with all rows is taken panel by panel above the diagonal, in a precision in which
matrix products are fast. What rounding x to :math:`\tilde x` and W to :math:`\tilde W` takes from it is measured:

.. math:: \|xW - \tilde x \tilde W\| \le \|x - \tilde x\| \|W\|_F + \|\tilde x\| \|W - \tilde W\|_F;

the rounding of its sums of D terms is bounded by :math:`D u \|\tilde x\| \|\tilde W\|_F` with unit roundoff u
(N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.5).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ['SLACK', 'BoundedDensities', 'Gaussians', 'fast_precisions']

# Columns of the triangular product at a time, and rows.
PANEL, BLOCK = 128, 2048
# What rounding in float64 may change, relative to the distances.
SLACK = 1e-9


class Gaussians(NamedTuple):
    r"""K Gaussians with priors.

    Attributes:
        means: Shape (K, D).
        units: Factors of the covariances, :math:`M^T` in their upper half, shape (K, D, D), see
            :mod:`mmpod.functional.gaussian`.
        pivots: Shape (K, D).
        volumes: Twice the log of prior over root determinant, shape (K,).
    """

    means: Tensor
    units: Tensor
    pivots: Tensor
    volumes: Tensor

    def leading(self, dims: int) -> 'Gaussians':
        """Return the marginal Gaussians of the first ``dims`` dimensions; the volumes stay those of all dimensions."""
        return Gaussians(self.means[:, :dims], self.units[:, :dims, :dims], self.pivots[:, :dims], self.volumes)


def fast_precisions(device: torch.device) -> list[torch.dtype]:
    """Return the precisions faster than float64 whose products on ``device`` err as assumed here, fastest first.

    Products of bfloat16 are summed in float32 by oneDNN, on processors that have instructions for it; float32 carries
    24 bits unless a setting allows fewer. Nothing is assumed of accelerators.
    """
    if device.type != 'cpu':
        return []
    known = getattr(torch.cpu, 'get_capabilities', dict)()
    half = torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled
    half = half and (known.get('avx512_bf16', False) or known.get('amx_bf16', False))
    single = torch.get_float32_matmul_precision() == 'highest'
    return [torch.bfloat16] * half + [torch.float32] * single


class BoundedDensities:
    r"""Log prior plus log-density, without the constant, and a bound on its error.

    Args:
        rows: Shape (N, D), float64.
        gaussians: See :class:`Gaussians`, float64.
        dtype: Precision of the products: bfloat16, float32 or float64. Sums are taken in float32 or better.
    """

    def __init__(self, rows: Tensor, gaussians: Gaussians, dtype: torch.dtype):
        self.gaussians, self.dtype = gaussians, dtype
        self.sums = torch.promote_types(dtype, torch.float32)
        self.middle = gaussians.means.mean(dim=0)
        self.scale = (rows - self.middle).abs().max().clamp_min(torch.finfo(torch.float64).tiny)  # to stay in range
        self.rows = torch.empty(rows.shape, dtype=dtype, device=rows.device)
        self.lost = torch.empty_like(rows[:, 0])
        for part, rounded, lost in zip(*(tensor.split(BLOCK) for tensor in (rows, self.rows, self.lost))):
            part = (part - self.middle) / self.scale
            rounded.copy_(part)
            torch.linalg.vector_norm(part - rounded, dim=1, out=lost)
        self.lengths = torch.linalg.vector_norm(self.rows, dim=1, dtype=torch.float64)
        self.eye = torch.eye(rows.shape[1]).to(rows)

    def joint(self, samples: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Return the values of Gaussian k at the rows ``samples``, shape (n,), and the bounds, both float64, (n,)."""
        gaussians, dim = self.gaussians, len(self.eye)
        mean = (gaussians.means[k] - self.middle) / self.scale
        inverse = torch.linalg.solve_triangular(gaussians.units[k], self.eye, upper=True, unitriangular=True)
        inverse *= self.scale / gaussians.pivots[k].sqrt()
        offset = mean @ inverse
        rounded, rounded_offset = inverse.to(self.dtype), offset.to(self.dtype)
        length = self._lengths(samples, rounded, rounded_offset).double()

        unit, sums = (torch.finfo(dtype).eps / 2 for dtype in (self.dtype, self.sums))
        norm, tiny = torch.linalg.vector_norm, dim * torch.finfo(self.sums).tiny  # what is smaller may count as 0
        lost = norm(inverse - rounded)
        x, w, o = self.lengths[samples] + tiny, norm(inverse) + lost + tiny, norm(offset)
        error = self.lost[samples] * w + x * lost + norm(offset - rounded_offset)
        error = error + (dim + 4) * sums * (x * w + length) + 2 * unit * (length + o)  # of sums, and of their rounding
        bound = error * (length + error / 2) + SLACK * length.square()
        value = (gaussians.volumes[k] - length.square()) / 2
        invalid = ~torch.isfinite(value + bound)  # out of the range of the precision
        return value.masked_fill(invalid, 0), bound.masked_fill(invalid, math.inf)

    def _lengths(self, samples: Tensor, inverse: Tensor, offset: Tensor) -> Tensor:
        """Return the lengths of ``rows @ inverse - offset``, shape (n,)."""
        result = torch.empty(len(samples), dtype=self.sums, device=samples.device)
        whitened = self.rows.new_empty(BLOCK, len(offset))
        starts = range(0, len(offset), PANEL)
        panels = [(slice(0, start + PANEL), slice(start, start + PANEL)) for start in starts]
        for part, target in zip(samples.split(BLOCK), result.split(BLOCK)):
            rows, residual = self.rows.index_select(0, part), whitened[: len(part)]
            for above, panel in panels:
                block = inverse[above, panel]
                torch.addmm(offset[panel], rows[:, above], block, beta=-1, out=residual[:, panel])
            torch.linalg.vector_norm(residual, dim=1, dtype=self.sums, out=target)
        return result

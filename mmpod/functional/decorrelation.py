r"""Terms that keep the dimensions of a batch from varying together: SC Loss and related losses.

All are sums of squared off-diagonal entries of a D x D matrix E^T E, which is not formed if the N x N one is smaller.
In a distributed run the same comparison decides what the processes exchange for a global batch: the D (D - 1) / 2
entries above the diagonal of E^T E if D <= N, the N D entries of E if N < D.
"""

from typing import Any, Optional

import torch
from torch import Tensor

from .batch import Batch
from .numerics import refuse_second_derivative

__all__ = ['barlow_twins_loss', 'self_correlation_loss', 'vicreg_covariance_loss']


def self_correlation_loss(residuals: Tensor, batch: Optional[Batch] = None) -> Tensor:
    r"""Return the Self-correlation Constraint (SC) Loss, Eq. 14: :math:`L_{SC} = \sum_{i \neq j} R_{ij}^2`.

    Eq. 15 in rows: :math:`R = E^T E / (N-1)` with the differences :math:`d_n` as the rows of E. The paper calls
    :math:`R_{ij}` a correlation coefficient; its formula, which this function follows, is a second moment, neither
    centred nor standardised. The authors' released code also divides the sum by D - 1; this function returns the sum as
    printed.

    As :math:`\|E^T E\|_F = \|E E^T\|_F`, the smaller of the two Gram matrices is used: min(N, D) N D operations.
    Differentiable once.

    Args:
        residuals: E, shape (N, D).
        batch: The :class:`~mmpod.functional.batch.Batch` that the rows belong to; None if they are the whole batch.

    Returns:
        Tensor: Scalar, at least 0 up to rounding. With N = 1, where Eq. 15 divides by zero, 0 with a gradient of 0.

    Example:
        >>> self_correlation_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(8.)
    """
    return _SelfCorrelation.apply(residuals, batch or Batch(residuals))


class _SelfCorrelation(torch.autograd.Function):
    """:func:`self_correlation_loss` with a closed-form gradient from the same matrix product as the value."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, batch: Batch) -> Tensor:
        product = decorrelating_product(rows, batch)
        ctx.save_for_backward(product)
        ctx.processes = batch.processes
        return batch.sum((rows * product).sum())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        refuse_second_derivative('self_correlation_loss')
        (product,) = ctx.saved_tensors
        # Each row receives a gradient from the loss of every process, see utils/distributed.py.
        return product * (grad * (4 * ctx.processes)), None


def decorrelating_product(rows: Tensor, batch: Batch, weight: float = 1.0) -> Tensor:
    r"""Return :math:`w E (S - \mathrm{diag} S) / (N-1)^2` with :math:`S = E^T E`, by the smaller Gram matrix.

    Its inner product with E is w times the SC Loss of E, and 4 times it is the gradient. ``rows``: local rows of E.
    """
    num_samples, dim = batch.num_samples, rows.shape[1]
    scale = weight / max(num_samples - 1, 1) ** 2
    if num_samples == 1:
        return torch.zeros_like(rows)
    if dim <= num_samples:
        gram = _sum_off_diagonal((rows.T @ rows).fill_diagonal_(0), batch)
        return torch.addmm(rows, rows, gram, beta=0, alpha=scale)
    # (E E^T) E = E (E^T E); the diagonal of E^T E is subtracted separately.
    everything = batch.gather(rows)
    gram = rows @ everything.T
    diagonal = (everything * everything).sum(dim=0)
    return torch.addmm(rows * diagonal, gram, everything, beta=-scale, alpha=scale)


def _sum_off_diagonal(gram: Tensor, batch: Batch) -> Tensor:
    """Sum symmetric matrices with a zero diagonal over the processes, sending one triangle only."""
    if batch.processes == 1:
        return gram
    upper = tuple(torch.triu_indices(len(gram), len(gram), offset=1, device=gram.device))
    total = torch.zeros_like(gram).index_put_(upper, batch.sum(gram[upper]))
    return total + total.T


def barlow_twins_loss(residuals: Tensor, batch: Optional[Batch] = None) -> Tensor:
    r"""Return the second sum of Eq. 9, :math:`\sum_{i \neq j} C_{ij}^2`, where C are the residuals' correlations.

    The redundancy term of Barlow Twins (arXiv 2103.03230) with one view instead of two: each dimension is centred and
    divided by its standard deviation over the batch, so that C holds true correlation coefficients, unlike Eq. 15. The
    scale differs: about D^2 / N for independent dimensions.

    Args:
        residuals, batch: As in :func:`self_correlation_loss`.

    Returns:
        Tensor: Scalar; 0 with a gradient of 0 for N = 1. A constant dimension counts as uncorrelated.

    Example:
        >>> barlow_twins_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(2.)
    """
    batch = batch or Batch(residuals)
    centred = _centred(residuals, batch)
    # The added variance keeps the quotient and its gradient finite in a constant dimension.
    standard = centred / (batch.mean(centred.square()) + 1e-12).sqrt()
    return self_correlation_loss(standard, batch) * (1 - 1 / batch.num_samples) ** 2


def _centred(rows: Tensor, batch: Batch) -> Tensor:
    # The gradients of both losses at their centred rows sum to zero over the batch, so none flows through the mean.
    return rows - batch.mean(rows.detach())


def vicreg_covariance_loss(residuals: Tensor, batch: Optional[Batch] = None) -> Tensor:
    r"""Return :math:`\frac{1}{D}\sum_{i \neq j} \mathrm{Cov}_{ij}^2`, the covariance term of VICReg (arXiv 2105.04906).

    The SC term of the centred rows, divided by the number of dimensions.

    Args:
        residuals, batch: As in :func:`self_correlation_loss`.

    Returns:
        Tensor: Scalar; 0 with a gradient of 0 for N = 1.

    Example:
        >>> vicreg_covariance_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(0.2500)
    """
    batch = batch or Batch(residuals)
    return self_correlation_loss(_centred(residuals, batch), batch) / residuals.shape[1]

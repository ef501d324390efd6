r"""Terms that keep the dimensions of a batch from varying together: SC Loss and its relatives.

All are sums of squares off the diagonal of a D x D matrix E^T E, which is never formed where the N x N one is smaller.
The same comparison settles what the processes of a distributed run exchange for a global batch: D (D - 1) / 2 sums of
products where D <= N, the N D entries of E where N < D; neither of them costs communication in the backward pass.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmpod.utils.distributed import gather_rows, global_sum, mean_of_rows, row_counts, world_size

__all__ = ['barlow_twins_loss', 'self_correlation_loss', 'vicreg_covariance_loss']


def self_correlation_loss(residuals: Tensor, global_batch: bool = False) -> Tensor:
    r"""Return the Self-correlation Constraint (SC) Loss, Eq. 14: :math:`L_{SC} = \sum_{i \neq j} R_{ij}^2`.

    Eq. 15 in rows: :math:`R = E^T E / (N-1)` with the differences :math:`d_n` as the rows of E. The paper calls
    :math:`R_{ij}` a correlation coefficient; its formula, and this function, is a second moment: neither centred nor
    standardised. The authors' released code divides the sum by D - 1 besides; this is the sum as printed.

    As :math:`\|E^T E\|_F = \|E E^T\|_F`, the smaller of the two Gram matrices serves: min(N, D) N D operations.
    Differentiable once.

    Args:
        residuals: E, shape (N, D).
        global_batch: Take the batch of all processes, of which each passes its rows, instead of the rows alone. A
            collective.

    Returns:
        Tensor: Scalar, at least 0 up to rounding. With N = 1, where Eq. 15 divides by zero, 0 with a gradient of 0.

    Example:
        >>> self_correlation_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(8.)
    """
    return _self_correlation(*_batch(residuals, global_batch))


def _batch(residuals: Tensor, global_batch: bool) -> tuple[Tensor, int]:
    """Return the rows to work on, the own ones or all, and the size N of the batch whose rows they are."""
    counts = row_counts(residuals) if global_batch else [len(residuals)]
    num_samples, dim = sum(counts), residuals.shape[1]
    return (residuals if dim <= num_samples else gather_rows(residuals, counts)), num_samples


def _self_correlation(rows: Tensor, num_samples: int) -> Tensor:
    return (rows * 0).sum() if num_samples == 1 else SelfCorrelation.apply(rows, num_samples)


class SelfCorrelation(torch.autograd.Function):
    r"""The off-diagonal sum of squares of R with its gradient :math:`4 E (S - diag S) / (N-1)^2`, :math:`S = E^T E`.

    In the closed form the gradient takes one more matrix product, as much as the value; autograd takes two.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, num_samples: int) -> Tensor:
        """Return the sum, from the smaller Gram matrix; ``rows`` are all N, or where D <= N those of this process."""
        dim = rows.shape[1]
        diagonal = None
        if dim <= num_samples:
            gram = (rows.T @ rows).fill_diagonal_(0)
            gram = gram if len(rows) == num_samples else _sum_off_diagonal(gram)
            energy = _sum_of_squares(gram)
        else:
            gram = rows @ rows.T
            diagonal = rows.square().sum(dim=0)
            energy = _sum_of_squares(gram) - _sum_of_squares(diagonal)
        ctx.save_for_backward(rows, gram, diagonal)
        ctx.num_samples = num_samples
        return energy / (num_samples - 1) ** 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient by the Gram matrix at hand: E (E^T E) = (E E^T) E."""
        rows, gram, diagonal = ctx.saved_tensors
        if diagonal is None:
            product = rows @ gram  # whose diagonal is zero already
        else:
            product = (gram @ rows).addcmul_(rows, diagonal, value=-1)
        # The equal losses of all processes send their gradients to a row, see distributed.py.
        losses = 1 if len(rows) == ctx.num_samples else world_size()
        return product.mul_(grad * (4 * losses / (ctx.num_samples - 1) ** 2)), None


def _sum_off_diagonal(gram: Tensor) -> Tensor:
    """Return the sum over the processes of symmetric matrices with a diagonal of zero, sending one triangle."""
    upper = torch.triu_indices(len(gram), len(gram), offset=1, device=gram.device)
    total = torch.zeros_like(gram).index_put_(tuple(upper), global_sum(gram[tuple(upper)]))
    return total + total.T


def _sum_of_squares(tensor: Tensor) -> Tensor:
    return torch.dot(tensor.flatten(), tensor.flatten())


def barlow_twins_loss(residuals: Tensor, global_batch: bool = False) -> Tensor:
    r"""Return the second sum of Eq. 9, :math:`\sum_{i \neq j} C_{ij}^2`, C being the correlations of the residuals.

    The redundancy term of Barlow Twins (arXiv 2103.03230) with one view instead of two: each dimension is centred and
    divided by its standard deviation over the batch, so that C holds the "correlation coefficients" that the paper
    names where Eq. 15 prints a second moment. Its scale is another: about D^2 / N for independent dimensions.

    Args:
        residuals: E, shape (N, D).
        global_batch: As in :func:`self_correlation_loss`.

    Returns:
        Tensor: Scalar. With N = 1 zero, with a gradient of zero. A dimension that does not vary counts as uncorrelated.

    Example:
        >>> barlow_twins_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(2.)
    """
    rows, num_samples = _batch(residuals, global_batch)
    centred = _centred(rows, num_samples)
    # The tiny variance keeps the quotient and its slope finite in a dimension that does not vary.
    standard = centred / (mean_of_rows(centred.square(), num_samples) + 1e-12).sqrt()
    return _self_correlation(standard, num_samples) * ((num_samples - 1) / num_samples) ** 2


def _centred(rows: Tensor, num_samples: int) -> Tensor:
    # The slope of both losses at their centred rows adds up to zero over the batch: the mean has no gradient.
    return rows - mean_of_rows(rows.detach(), num_samples)


def vicreg_covariance_loss(residuals: Tensor, global_batch: bool = False) -> Tensor:
    r"""Return :math:`\frac{1}{D}\sum_{i \neq j} \mathrm{Cov}_{ij}^2`, the covariance term of VICReg (arXiv 2105.04906).

    The SC term centred, over the number of dimensions.

    Args:
        residuals: E, shape (N, D).
        global_batch: As in :func:`self_correlation_loss`.

    Returns:
        Tensor: Scalar. With N = 1 zero, with a gradient of zero.

    Example:
        >>> vicreg_covariance_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(0.2500)
    """
    rows, num_samples = _batch(residuals, global_batch)
    return _self_correlation(_centred(rows, num_samples), num_samples) / rows.shape[1]

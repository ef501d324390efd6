r"""Terms that keep the dimensions of a batch from varying together: SC Loss and its relatives.

All are sums of squares off the diagonal of a D x D matrix E^T E, which is never formed where the N x N one is smaller.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ['barlow_twins_loss', 'self_correlation_loss', 'vicreg_covariance_loss']


def self_correlation_loss(residuals: Tensor) -> Tensor:
    r"""Return the Self-correlation Constraint (SC) Loss, Eq. 14: :math:`L_{SC} = \sum_{i \neq j} R_{ij}^2`.

    Eq. 15 in rows: :math:`R = E^T E / (N-1)` with the differences :math:`d_n` as the rows of E. The paper calls
    :math:`R_{ij}` a correlation coefficient; its formula, and this function, is a second moment: neither centred nor
    standardised. The authors' released code divides the sum by D - 1 besides; this is the sum as printed.

    As :math:`\|E^T E\|_F = \|E E^T\|_F`, the smaller of the two Gram matrices serves: min(N, D) N D operations.
    Differentiable once.

    Args:
        residuals: E, shape (N, D). Statistics of the batch that is passed in: gather it first for a global batch.

    Returns:
        Tensor: Scalar, at least 0 up to rounding. With N = 1, where Eq. 15 divides by zero, 0 with a gradient of 0.

    Example:
        >>> self_correlation_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(8.)
    """
    if len(residuals) == 1:
        return (residuals * 0).sum()
    return SelfCorrelation.apply(residuals)


class SelfCorrelation(torch.autograd.Function):
    r"""The off-diagonal sum of squares of R with its gradient :math:`4 E (S - diag S) / (N-1)^2`, :math:`S = E^T E`.

    In the closed form the gradient takes one more matrix product, as much as the value; autograd takes two.
    """

    @staticmethod
    def forward(ctx, residuals: Tensor) -> Tensor:
        """Return the sum, from the smaller Gram matrix."""
        num_samples, dim = residuals.shape
        diagonal = residuals.square().sum(dim=0)
        if dim <= num_samples:
            gram = (residuals.T @ residuals).fill_diagonal_(0)
            energy = _sum_of_squares(gram)
        else:
            gram = residuals @ residuals.T
            energy = _sum_of_squares(gram) - _sum_of_squares(diagonal)
        ctx.save_for_backward(residuals, gram, diagonal)
        return energy / (num_samples - 1) ** 2

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> Tensor:
        """Return the gradient by the Gram matrix at hand: E (E^T E) = (E E^T) E."""
        residuals, gram, diagonal = ctx.saved_tensors
        if residuals.shape[1] <= residuals.shape[0]:
            product = residuals @ gram  # whose diagonal is zero already
        else:
            product = (gram @ residuals).addcmul_(residuals, diagonal, value=-1)
        return product.mul_(grad * (4 / (len(residuals) - 1) ** 2))


def _sum_of_squares(tensor: Tensor) -> Tensor:
    return torch.dot(tensor.flatten(), tensor.flatten())


def barlow_twins_loss(residuals: Tensor) -> Tensor:
    r"""Return the second sum of Eq. 9, :math:`\sum_{i \neq j} C_{ij}^2`, C being the correlations of the residuals.

    The redundancy term of Barlow Twins (arXiv 2103.03230) with one view instead of two: each dimension is centred and
    divided by its standard deviation over the batch, so that C holds the "correlation coefficients" that the paper
    names where Eq. 15 prints a second moment. Its scale is another: about D^2 / N for independent dimensions.

    Args:
        residuals: E, shape (N, D), of the batch whose statistics are meant.

    Returns:
        Tensor: Scalar. With N = 1 zero, with a gradient of zero. A dimension that does not vary counts as uncorrelated.

    Example:
        >>> barlow_twins_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(2.)
    """
    centred = residuals - residuals.mean(dim=0)
    # The tiny variance keeps the quotient and its slope finite in a dimension that does not vary.
    standard = centred / (centred.square().mean(dim=0) + 1e-12).sqrt()
    return self_correlation_loss(standard) * ((len(residuals) - 1) / len(residuals)) ** 2


def vicreg_covariance_loss(residuals: Tensor) -> Tensor:
    r"""Return :math:`\frac{1}{D}\sum_{i \neq j} \mathrm{Cov}_{ij}^2`, the covariance term of VICReg (arXiv 2105.04906).

    The SC term centred, over the number of dimensions.

    Args:
        residuals: E, shape (N, D), of the batch whose statistics are meant.

    Returns:
        Tensor: Scalar. With N = 1 zero, with a gradient of zero.

    Example:
        >>> vicreg_covariance_loss(torch.tensor([[1., 2.], [0., 1.]]))
        tensor(0.2500)
    """
    return self_correlation_loss(residuals - residuals.mean(dim=0)) / residuals.shape[1]

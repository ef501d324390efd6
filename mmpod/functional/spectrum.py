"""How evenly features fill their space, Table IV of arXiv 2111.15449 v1."""

import torch
from torch import Tensor

__all__ = ['effective_rank', 'spectrum_variances']


def spectrum_variances(moment: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return the variances of the eigenvalues of a second moment and of its diagonal, the energies of the dimensions.

    Table IV reports a "variance of feature eigen-vectors (normalized)" without a formula. Both are population
    variances over D numbers. The mean of both is tr(M)/D, and the squares of the eigenvalues add up to
    :math:`\|M\|_F^2`, so no eigenvalues are computed. The first is at least the second.

    Args:
        moment: :math:`M = \frac{1}{N}\sum x x^T`, shape (D, D), float64.

    Returns:
        tuple[Tensor, Tensor]: Two scalars; for unit-length features tr(M) = 1.

    Example:
        >>> spectrum_variances(torch.tensor([[0.5, 0.5], [0.5, 0.5]]))
        (tensor(0.2500), tensor(0.))
    """
    dim, energies = len(moment), moment.diagonal()
    mean = energies.mean()
    return moment.square().sum() / dim - mean**2, energies.var(correction=0)


def effective_rank(moment: Tensor) -> Tensor:
    r"""Return the exponential of the entropy of the spectrum, :math:`\exp(-\sum_i \lambda_i \log\lambda_i)`.

    The eigenvalues are scaled to add up to 1 (Roy and Vetterli, 2007). The result is D for a flat spectrum and 1 for a
    single non-zero eigenvalue.

    Args:
        moment: Shape (D, D), symmetric and not zero.

    Example:
        >>> effective_rank(torch.diag(torch.tensor([2., 2., 0.])))
        tensor(2.)
    """
    eigenvalues = torch.linalg.eigvalsh(moment).clamp_min(0)
    return torch.special.entr(eigenvalues / eigenvalues.sum()).sum().exp()

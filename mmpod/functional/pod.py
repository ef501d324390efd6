"""The terms of POD Loss, Eq. 10-16 of arXiv 2111.15449 v1, and the cosine classifier, Eq. 17-19.

Throughout, x = z / ||z|| are the unit features of N samples, p_k the K centroids, both in R^D. Labels are integers
(N,), or class weights T (N, K) as mixing augmentations and label smoothing give them; one-hot weights and integers
give the same results.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ['class_residuals', 'cosine_loss', 'cosine_scores', 'self_correlation_loss']


def cosine_scores(unit_features: Tensor, centroids: Tensor) -> Tensor:
    r"""Return :math:`\cos\theta_{ik} = x_i \cdot p_k`, whose argmax over k is the predicted class (Eq. 17-19).

    Args:
        unit_features: x, shape (N, D), unit rows.
        centroids: p, shape (K, D), unit rows.

    Returns:
        Tensor: Shape (N, K), in [-1, 1] up to rounding.

    Example:
        >>> import torch
        >>> cosine_scores(torch.tensor([[0.6, 0.8]]), torch.tensor([[1., 0.], [-1., 0.]]))
        tensor([[ 0.6000, -0.6000]])
    """
    return unit_features @ centroids.T


def cosine_loss(unit_features: Tensor, labels: Tensor, centroids: Tensor, power: float = 2) -> Tensor:
    r"""Return the Cosine Loss of each sample, :math:`(1 - \cos\theta_{y_i})^{power}`; its mean is Eq. 13.

    ``power=1`` is PEDCC-MSE (Eq. 12). Soft labels average it: :math:`\sum_k T_{ik} (1 - x_i \cdot p_k)^{power}`.

    Args:
        unit_features: x, shape (N, D), unit rows.
        labels: Shape (N,), integers in [0, K), or (N, K), floating point.
        centroids: p, shape (K, D), unit rows.
        power: Exponent, at least 1.

    Returns:
        Tensor: Shape (N,), each in [0, 2**power] for weights that sum to one.

    Example:
        >>> import torch
        >>> x, p = torch.tensor([[0.6, 0.8]]), torch.tensor([[1., 0.], [-1., 0.]])
        >>> cosine_loss(x, torch.tensor([0]), p)
        tensor([0.1600])
    """
    if labels.is_floating_point():
        return (labels * _distance(cosine_scores(unit_features, centroids), power)).sum(dim=1)
    return _distance((unit_features * centroids.index_select(0, labels)).sum(dim=1), power)


def _distance(cosine: Tensor, power: float) -> Tensor:
    distance = 1 - cosine
    if power != int(power):
        # Rounding can lift a cosine just above 1, where a fractional power has no real value.
        distance = distance.clamp_min(0)
    return distance**power


def class_residuals(unit_features: Tensor, labels: Tensor, centroids: Tensor) -> Tensor:
    r"""Return the differences :math:`d_i = x_i - p_{y_i}` that the SC term decorrelates (Eq. 15).

    Soft labels take the mean centroid: :math:`d_i = x_i - \sum_k T_{ik} p_k`.

    Args:
        unit_features: x, shape (N, D), unit rows.
        labels: Shape (N,), integers in [0, K), or (N, K), floating point.
        centroids: p, shape (K, D), unit rows.

    Returns:
        Tensor: Shape (N, D).

    Example:
        >>> import torch
        >>> class_residuals(torch.tensor([[0.6, 0.8]]), torch.tensor([0]), torch.tensor([[1., 0.], [-1., 0.]]))
        tensor([[-0.4000,  0.8000]])
    """
    own = labels.to(centroids) @ centroids if labels.is_floating_point() else centroids.index_select(0, labels)
    return unit_features - own


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
        >>> import torch
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
            energy = gram.square().sum()
        else:
            gram = residuals @ residuals.T
            energy = gram.square().sum() - diagonal.square().sum()
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

"""POD Loss and its cosine terms, Eq. 10-16 of arXiv 2111.15449 v1.

Throughout, x = z / ||z|| are the unit features of N samples, p_k the K centroids, both in R^D. The predicted class is
the argmax over k of the cosine x_i . p_k (Eq. 17-19), in code ``(x @ p.T).argmax(dim=1)``. Labels are integers
(N,), or soft labels T (N, K) as mixing augmentations and label smoothing produce them; one-hot soft labels and integers
give the same results.
"""

from typing import Any, Optional

import torch
from torch import Tensor

from .batch import Batch
from .decorrelation import decorrelating_product
from .numerics import refuse_second_derivative, through_unit_rows, unit_rows

__all__ = ['class_residuals', 'cosine_loss', 'norm_adaptive', 'pod_loss']


def pod_loss(
    features: Tensor,
    labels: Tensor,
    centroids: Tensor,
    power: float = 2,
    sc_weight: float = 1.0,
    batch: Optional[Batch] = None,
) -> tuple[Tensor, Tensor]:
    r"""Return both terms of POD Loss (Eq. 16), as one operation with a closed-form gradient.

    They are the mean of :func:`cosine_loss` of the unit features and ``sc_weight`` times
    :func:`~mmpod.functional.self_correlation_loss` of :func:`class_residuals`. Only the centroids of the batch's
    classes are read, so the cost does not depend on K. The centroids get no gradient. Differentiable once.

    Args:
        features: z, shape (N, D), of any length, float32 or float64.
        labels: Shape (N,), integers in [0, K).
        centroids: p, shape (K, D), unit rows, with the dtype of ``features``.
        power: Exponent of the cosine term, at least 1.
        sc_weight: Lambda of Eq. 16, at least 0; with 0 the second term is 0 and not computed.
        batch: The :class:`~mmpod.functional.batch.Batch` that the rows belong to; None if they are the whole batch.

    Returns:
        tuple[Tensor, Tensor]: Two scalars whose sum is the loss, the same in every process.

    Example:
        >>> z, p = torch.tensor([[6., 8.], [0., -3.]]), torch.tensor([[1., 0.], [-1., 0.]])
        >>> pod_loss(z, torch.tensor([0, 1]), p, sc_weight=0.5)
        (tensor(0.5800), tensor(1.7424))
    """
    return _PODTerms.apply(features, labels, centroids, power, sc_weight, batch or Batch(features))


class _PODTerms(torch.autograd.Function):
    """:func:`pod_loss`."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, labels: Tensor, centroids: Tensor, power: float, sc_weight: float, batch: Batch
    ) -> tuple[Tensor, Tensor]:
        unit, length = unit_rows(features)
        own = centroids.index_select(0, labels)
        residuals = own - unit  # -d_i, which has the same second moment
        distance = (own * residuals).sum(dim=1, keepdim=True)  # 1 - cos, as <p, p> = 1
        cosine = batch.mean(_power(distance, power).flatten())
        if sc_weight > 0:
            product = decorrelating_product(residuals, batch, sc_weight)
            correlation = batch.sum((residuals * product).sum())
        else:
            product, correlation = None, features.new_zeros(())
        # Each row receives a gradient from the loss of every process, see utils/distributed.py.
        slope = distance if power == 2 else _power(distance, power - 1)
        slope = slope * (-power * batch.processes / batch.num_samples)
        ctx.save_for_backward(unit, length, residuals, slope, product)
        ctx.processes = batch.processes
        return cosine, correlation

    @staticmethod
    def backward(ctx: Any, cosine_grad: Tensor, correlation_grad: Tensor) -> tuple[Optional[Tensor], ...]:
        refuse_second_derivative('pod_loss')
        unit, length, residuals, slope, product = ctx.saved_tensors
        grad = residuals * (slope * cosine_grad)
        if product is not None:
            grad.addcmul_(product, correlation_grad, value=-4 * ctx.processes)
        return through_unit_rows(grad, unit, length), None, None, None, None, None


def cosine_loss(unit_features: Tensor, labels: Tensor, centroids: Tensor, power: float = 2) -> Tensor:
    r"""Return the Cosine Loss of each sample, :math:`(1 - \cos\theta_{y_i})^{power}`; its mean is Eq. 13.

    ``power=1`` is PEDCC-MSE (Eq. 12). With soft labels it is averaged:
    :math:`\sum_k T_{ik} (1 - x_i \cdot p_k)^{power}`.

    Args:
        unit_features: x, shape (N, D), unit rows.
        labels: Shape (N,), integers in [0, K), or (N, K), floating point.
        centroids: p, shape (K, D), unit rows.
        power: Exponent, at least 1.

    Returns:
        Tensor: Shape (N,), each in [0, 2**power] for soft labels that sum to one.

    Example:
        >>> x, p = torch.tensor([[0.6, 0.8]]), torch.tensor([[1., 0.], [-1., 0.]])
        >>> cosine_loss(x, torch.tensor([0]), p)
        tensor([0.1600])
    """
    if labels.is_floating_point():
        return (labels * _power(1 - unit_features @ centroids.T, power)).sum(dim=1)
    return _power(1 - (unit_features * centroids.index_select(0, labels)).sum(dim=1), power)


def _power(distance: Tensor, power: float) -> Tensor:
    # Rounding can push a cosine just above 1, where a fractional power has no real value.
    if power == 2:
        return distance * distance  # the usual case, without the overhead of a general power
    return (distance if power == int(power) else distance.clamp_min(0)) ** power


def class_residuals(unit_features: Tensor, labels: Tensor, centroids: Tensor) -> Tensor:
    r"""Return the differences :math:`d_i = x_i - p_{y_i}` that the SC term decorrelates (Eq. 15), shape (N, D).

    With soft labels the mean centroid is used: :math:`d_i = x_i - \sum_k T_{ik} p_k`.

    Args:
        unit_features: x, shape (N, D), unit rows.
        labels: Shape (N,), integers in [0, K), or (N, K), floating point.
        centroids: p, shape (K, D), unit rows.

    Example:
        >>> class_residuals(torch.tensor([[0.6, 0.8]]), torch.tensor([0]), torch.tensor([[1., 0.], [-1., 0.]]))
        tensor([[-0.4000,  0.8000]])
    """
    own = labels.to(centroids) @ centroids if labels.is_floating_point() else centroids.index_select(0, labels)
    return unit_features - own


def norm_adaptive(features: Tensor, unit_features: Tensor, delta: Tensor) -> Tensor:
    r"""Return :math:`z_i / \sqrt{\|z_i\|^2 + \delta^2}`: features shrunk to a length below 1, shape (N, D).

    Used in place of x in :func:`cosine_loss`, it gives the norm-adaptive variant of the authors' second version (2022),
    :math:`(1 - z \cdot p / \sqrt{\|z\|^2 + \delta^2})^2`, which also rewards longer features.

    Args:
        features: z, shape (N, D).
        unit_features: x = z / ||z||, shape (N, D).
        delta: Scalar, above 0, in the units of z.

    Example:
        >>> norm_adaptive(torch.tensor([[3., 0.]]), torch.tensor([[1., 0.]]), torch.tensor(4.))
        tensor([[0.6000, 0.0000]])
    """
    length = (features * unit_features).sum(dim=1, keepdim=True)
    return features / length.hypot(delta)

"""The cosine terms of POD Loss, Eq. 10-13 of arXiv 2111.15449 v1, and the cosine classifier, Eq. 17-19.

Throughout, x = z / ||z|| are the unit features of N samples, p_k the K centroids, both in R^D. Labels are integers
(N,), or class weights T (N, K) as mixing augmentations and label smoothing give them; one-hot weights and integers
give the same results.
"""

from torch import Tensor

__all__ = ['class_residuals', 'cosine_loss', 'cosine_scores', 'norm_adaptive']


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


def norm_adaptive(features: Tensor, unit_features: Tensor, delta: Tensor) -> Tensor:
    r"""Return :math:`z_i / \sqrt{\|z_i\|^2 + \delta^2}`: features shrunk to a length below 1.

    In place of x in :func:`cosine_loss` it gives the norm-adaptive variant of the authors' second version (2022),
    :math:`(1 - z \cdot p / \sqrt{\|z\|^2 + \delta^2})^2`, which also pays for a longer feature.

    Args:
        features: z, shape (N, D).
        unit_features: x = z / ||z||, shape (N, D).
        delta: Scalar, above 0, in the unit of z.

    Returns:
        Tensor: Shape (N, D).

    Example:
        >>> import torch
        >>> norm_adaptive(torch.tensor([[3., 0.]]), torch.tensor([[1., 0.]]), torch.tensor(4.))
        tensor([[0.6000, 0.0000]])
    """
    length = (features * unit_features).sum(dim=1, keepdim=True)
    return features / length.hypot(delta)

"""Class centers that follow the features: Center Loss, Eq. 4 of arXiv 2111.15449 v1 (Wen et al., ECCV 2016)."""

import torch
from torch import Tensor

from .pod import class_residuals

__all__ = ['center_loss', 'center_steps']


def center_loss(features: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    r"""Return :math:`\frac{1}{2}\|x_i - c_{y_i}\|^2` for each sample, shape (N,): the second term of Eq. 4.

    With soft labels it is averaged, :math:`\frac{1}{2}\sum_k T_{ik}\|x_i - c_k\|^2`, half the squared distance to the
    mean center plus half the spread of the centers about it.

    Args:
        features: x, shape (N, D), not normalised.
        labels: Shape (N,), integers in [0, K), or (N, K), soft labels that add up to 1 in each row.
        centers: c, shape (K, D); they get no gradient here, see :func:`center_steps`.

    Example:
        >>> center_loss(torch.tensor([[1., 2.]]), torch.tensor([0]), torch.zeros(3, 2))
        tensor([2.5000])
    """
    centers = centers.detach()
    distance = class_residuals(features, labels, centers).square().sum(dim=1)
    if labels.is_floating_point():
        distance = distance + labels @ centers.square().sum(dim=1) - (labels @ centers).square().sum(dim=1)
    return distance / 2


@torch.no_grad()
def center_steps(features: Tensor, labels: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return the sums and the counts whose quotient moves the centers towards the features of their class.

    :math:`\Delta c_k = \sum_{y_i = k} (c_k - x_i) / (1 + \#\{y_i = k\})`, then
    :math:`c_k \leftarrow c_k - \alpha\Delta c_k`: sums and counts can be added up over processes, quotients cannot. The
    center of an absent class does not move.

    Args:
        features: x, shape (N, D).
        labels: Shape (N,), integers in [0, K), or (N, K), soft labels, which count as fractions of a sample.
        centers: c, shape (K, D).

    Returns:
        tuple[Tensor, Tensor]: Sums of x - c per class, (K, D), and counts per class, (K,).

    Example:
        >>> sums, counts = center_steps(torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([0, 0]), torch.ones(2, 2))
        >>> sums.tolist(), counts.tolist()
        ([[2.0, 4.0], [0.0, 0.0]], [2.0, 0.0])
    """
    if labels.is_floating_point():
        counts = labels.sum(dim=0)
        return labels.T @ features - counts.unsqueeze(1) * centers, counts
    counts = features.new_zeros(len(centers)).index_add_(0, labels, features.new_ones(len(labels)))
    steps = features - centers.index_select(0, labels)
    return torch.zeros_like(centers).index_add_(0, labels, steps), counts

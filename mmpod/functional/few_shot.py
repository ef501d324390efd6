"""Classes learned from a few samples of features that were trained on other classes."""

import torch
from torch import Tensor

from .numerics import normalize_rows

__all__ = ['nearest_mean']


def nearest_mean(support: Tensor, labels: Tensor, query: Tensor) -> Tensor:
    """Return the class whose mean direction is nearest to each query, shape (M,), int64.

    The mean of all support features is subtracted from all features, the differences are divided by their length, and
    a query gets the class whose mean difference is at the smallest Euclidean distance: CL2N of Wang et al.,
    *SimpleShot* (arXiv 1911.04623), which subtracts the mean of the training classes instead.

    Args:
        support: Features, shape (N, D), of at least one sample of each class.
        labels: Their classes, shape (N,), from 0 to K - 1.
        query: Features, shape (M, D).

    Example:
        >>> nearest_mean(torch.eye(3), torch.tensor([0, 1, 1]), torch.tensor([[2., 0., 0.], [0., 1., 2.]]))
        tensor([0, 1])
    """
    center = support.mean(dim=0)
    support, query = normalize_rows(support - center), normalize_rows(query - center)
    means = torch.stack([support[labels == label].mean(dim=0) for label in range(int(labels.max()) + 1)])
    return torch.cdist(query, means).argmin(dim=1)

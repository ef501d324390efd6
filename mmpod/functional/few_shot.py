"""Classes learned from a few samples of features that were trained on other classes."""

import torch
from torch import Tensor

from .numerics import normalize_rows

__all__ = ['draws', 'linear_probe', 'nearest_mean']


def nearest_mean(support: Tensor, labels: Tensor, query: Tensor) -> Tensor:
    """Return the class whose mean direction is nearest to each query, shape (M,), int64.

    The mean of all support features is subtracted from all features, the differences are divided by their length, and
    a query gets the class whose mean difference is at the smallest Euclidean distance: CL2N of Wang et al.,
    *SimpleShot* (arXiv 1911.04623), which subtracts the mean of the training classes instead.

    Args:
        support: Features, shape (N, D), of at least one sample of each class.
        labels: Their classes, shape (N,), from 0 to K - 1.
        query: Features, shape (M, D).

    Raises:
        ValueError: A class has no samples, or a feature is NaN or infinite.

    Example:
        >>> nearest_mean(torch.eye(3), torch.tensor([0, 1, 1]), torch.tensor([[2., 0., 0.], [0., 1., 2.]]))
        tensor([0, 1])
    """
    if labels.bincount().min() == 0 or not support.isfinite().all():
        raise ValueError(
            'Expected `support` to be finite and `labels` to have samples of every class from 0 to K - 1, but got '
            f'{labels.bincount().tolist()} samples per class. Number the classes anew, and leave NaN out.'
        )
    center = support.mean(dim=0)
    support, query = normalize_rows(support - center), normalize_rows(query - center)
    means = torch.stack([support[labels == label].mean(dim=0) for label in range(int(labels.max()) + 1)])
    return torch.cdist(query, means).argmin(dim=1)


def draws(labels: Tensor, num_classes: int, shot: int) -> list[Tensor]:
    """Return the indices of as many disjoint sets of ``shot`` samples per class as the labels allow, at least two."""
    by_class = [torch.nonzero(labels == label).flatten() for label in range(num_classes)]
    fewest = min(map(len, by_class))
    if fewest < 2 * shot:
        raise ValueError(
            f'Expected at least {2 * shot} support images per class for FewShotHook with {shot} shots, '
            f'enough for two disjoint draws, but one class has {fewest}. Lower `shots`, or add images.'
        )
    return [
        torch.cat([indices[start : start + shot] for indices in by_class])
        for start in range(0, fewest - shot + 1, shot)
    ]


def linear_probe(support: Tensor, labels: Tensor, query: Tensor, strength: float) -> Tensor:
    """Return the class of each query by logistic regression of standardised features, shape (M,), int64."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    return torch.from_numpy(probe.fit(support.numpy(), labels.numpy()).predict(query.numpy()))

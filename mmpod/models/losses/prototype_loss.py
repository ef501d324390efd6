"""What all losses that compare features with prototypes share; each of them adds its formula."""

from typing import Any, Optional

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmpod.functional import Batch, at_least_float32, no_autocast
from mmpod.utils.checks import check_batch, check_label_values, check_number
from mmpod.utils.distributed import global_mean, world_size

from .global_batch import GlobalBatch

__all__ = ['PrototypeLoss']


class PrototypeLoss(nn.Module):
    """Base of the losses that compare features with one prototype per class, fixed or learned.

    It checks the arguments, keeps the computation in float32 even under autocast, and averages over the batch of all
    processes, so that W processes train like one with the whole batch. A subclass implements :meth:`terms`.

    Args:
        loss_weight: Factor on all terms, at least 0.
        global_batch: Take statistics over the batch of all processes instead of over each process's own part.

    Raises:
        TypeError: An argument is not a number.
        ValueError: An argument is out of range.

    Attributes:
        similarity: How the loss compares features with prototypes, and a head should therefore classify: ``'cosine'``,
            or ``'dot'`` for plain inner products.
    """

    similarity = 'cosine'

    def __init__(self, loss_weight: float = 1.0, global_batch: bool = True):
        super().__init__()
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight
        self.global_batch = global_batch

    def forward(
        self, features: Tensor, labels: Tensor, centroids: Optional[Tensor] = None, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Return the weighted terms of the loss; their sum is the objective.

        Args:
            features: z, shape (N, D), as they leave the network, not normalised.
            labels: Shape (N,), integers in [0, K), or (N, K), floating-point soft labels (Mixup, CutMix, smoothing).
            centroids: The head's prototypes, shape (K, D): predefined centroids, or learned class weights.
            kwargs: Must be empty; catches what mmpretrain's other heads pass, for the error below.

        Returns:
            dict[str, Tensor]: Scalars, each under a name that starts with ``loss_``.

        Raises:
            TypeError: The loss is in a head without prototypes, or features or labels have a wrong dtype.
            ValueError: Shapes or devices that do not match, labels out of range, or soft labels that the loss cannot
                use.
        """
        if centroids is None or kwargs:
            name = type(self).__name__
            raise TypeError(
                'Expected `centroids` of shape (K, D) from the head, but this head passes '
                f'{sorted(kwargs) or "none"}: {name} works on features and prototypes, not on logits. Use it in a head '
                "that has them: head=dict(type='mmpod.PEDCCHead', num_classes=..., in_channels=..., feat_dim=...) for "
                "predefined centroids, head=dict(type='mmpod.LearnedPrototypeHead', num_classes=..., in_channels=...) "
                'for learned class weights.'
            )
        check_batch(features, labels, centroids)
        with no_autocast(features):
            features = at_least_float32(features)
            labels = labels.to(features.dtype if labels.is_floating_point() else torch.long)
            try:
                terms = self.terms(features, labels, centroids.to(features.dtype))
            except (IndexError, RuntimeError):
                # Labels are checked only after indexing has failed, so that a working step costs nothing.
                check_label_values(labels, len(centroids))
                raise
            return terms if self.loss_weight == 1 else {name: self.loss_weight * term for name, term in terms.items()}

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return the terms before ``loss_weight``; called with checked arguments of one precision, outside autocast."""
        raise NotImplementedError

    def batch(self, rows: Tensor) -> Batch:
        """Return the batch that the rows (N, D) belong to: that of all processes if ``global_batch``."""
        return GlobalBatch(rows) if self.global_batch and world_size() > 1 else Batch(rows)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of one value per sample, shape (N,), over the global batch if ``global_batch``."""
        return global_mean(values) if self.global_batch else values.mean()

    def mean_cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross entropy of logits (N, K), over the global batch if ``global_batch``."""
        alone = not self.global_batch or world_size() == 1
        # PyTorch would ignore samples with the label -100; no label is the smallest integer.
        ignored = torch.iinfo(torch.long).min
        losses = cross_entropy(logits, labels, ignore_index=ignored, reduction='mean' if alone else 'none')
        return losses if alone else global_mean(losses)

    def extra_repr(self) -> str:
        """Show the settings when the model is printed."""
        settings = (item for item in vars(self).items() if not item[0].startswith(('_', 'training')))
        return ', '.join(f'{name}={value!r}' for name, value in settings)

"""Base of all losses that compare features with prototypes; each of them adds its formula."""

from typing import Any, Optional, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmpod.functional import normalize_rows
from mmpod.functional.batch import Batch
from mmpod.functional.numerics import at_least_float32, no_autocast
from mmpod.utils.checks import check_batch, check_label_values, check_number
from mmpod.utils.distributed import global_mean, world_size

from .global_batch import GlobalBatch

__all__ = ['PrototypeLoss']

HALF = (torch.bfloat16, torch.float16)
is_compiling = getattr(torch.compiler, 'is_compiling', lambda: False)  # not in PyTorch before 2.3


class PrototypeLoss(nn.Module):
    r"""Base of the losses that compare features with one prototype per class, fixed or learned.

    It checks the arguments, keeps the computation in float32 even under autocast, and averages over the batch of all
    processes, so that W processes train like one with the whole batch. A subclass implements :meth:`terms`.

    Args:
        loss_weight: Factor on all terms, at least 0.
        global_batch: Take statistics over the batch of all processes (as one process with the whole batch, and the
            authors' DataParallel, would) instead of over each process's own part. Calling the loss is then a
            collective, also without gradients: every process must call it, with at least one sample. The value of a
            term may be the share of this process; the gradients are those of the whole batch.
        class_weight: w, one number of at least 0 per class, for imbalanced classes: the cross entropy (POD Loss: the
            cosine term) of a sample counts :math:`w_{y_i}` times; with soft labels T, class k counts :math:`T_{ik} w_k`
            times. The mean over the batch still divides by N, as mmpretrain's losses do (PyTorch divides by the sum of
            the weights). Other terms, such as SC, center and MSE, describe the features of the whole batch and are not
            weighted. None weights all classes equally.
        focal_gamma: Exponent of the focal factor :math:`(1 - p_{y_i})^\gamma` on the cross entropy (Lin et al., arXiv
            1708.02002), at least 0; with soft labels each class has its own factor. 0 means no factor.

    Attributes:
        similarity: How the loss compares features with prototypes, and thus how a head should classify: ``'cosine'``,
            or ``'dot'`` for plain inner products.
    """

    similarity = 'cosine'

    class_weight: Optional[Tensor]

    def __init__(
        self,
        loss_weight: float = 1.0,
        global_batch: bool = True,
        class_weight: Optional[Sequence[float]] = None,
        focal_gamma: float = 0.0,
    ):
        super().__init__()
        check_number('loss_weight', loss_weight, 0)
        check_number('focal_gamma', focal_gamma, 0)
        for weight in () if class_weight is None else class_weight:
            check_number('class_weight', weight, 0)
        weights = None if class_weight is None else torch.tensor([float(weight) for weight in class_weight])
        self.register_buffer('class_weight', weights, persistent=False)  # always the config's, never a checkpoint's
        self.focal_gamma = focal_gamma
        self.loss_weight = loss_weight
        self.global_batch = global_batch
        self._soft_labels_seen = False

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
                "predefined centroids, or head=dict(type='mmpod.LearnedPrototypeHead', num_classes=..., "
                'in_channels=...) for learned class weights.'
            )
        check_batch(features, labels, centroids)
        if self.class_weight is not None and len(self.class_weight) != len(centroids):
            raise ValueError(
                f'Expected `class_weight` to hold one number for each of the {len(centroids)} classes, but got '
                f'{len(self.class_weight)}.'
            )
        if labels.is_floating_point():
            self.check_soft_labels(labels)
        with no_autocast(features):
            features = at_least_float32(features)
            labels = labels.to(features.dtype if labels.is_floating_point() else torch.long)
            prototypes = centroids.to(features.dtype)
            if centroids.dtype in HALF and not centroids.requires_grad and self.similarity == 'cosine':
                prototypes = normalize_rows(prototypes)  # rounding has changed their lengths
            try:
                terms = self.terms(features, labels, prototypes)
            except (IndexError, RuntimeError):
                # Labels are checked only after indexing has failed, so that a working step costs nothing.
                check_label_values(labels, len(centroids))
                raise
            return terms if self.loss_weight == 1 else {name: self.loss_weight * term for name, term in terms.items()}

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return the terms before ``loss_weight``; called with checked arguments of one precision, outside autocast."""
        raise NotImplementedError

    @property
    def batch_statistics(self) -> bool:
        """Whether a term is a statistic of the batch, not a mean over its images: accumulated gradients then differ."""
        return False

    def restart_schedule(self) -> None:
        """Reset what changes in the course of training, for a new training that starts from old weights.

        ``mmpod.CheckWeightsHook`` calls it. This base has no schedule.
        """

    def batch(self, rows: Tensor) -> Batch:
        """Return the batch that the rows (N, D) belong to: that of all processes if ``global_batch``."""
        return GlobalBatch(rows) if self.global_batch and world_size() > 1 else Batch(rows)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of one value per sample, shape (N,), over the global batch if ``global_batch``."""
        return global_mean(values) if self.global_batch else values.mean()

    def mean_cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        r"""Return the mean cross entropy of logits (N, K), over the global batch if ``global_batch``.

        With ``class_weight`` and ``focal_gamma`` it is :math:`-\sum_k w_k T_{ik} (1 - p_{ik})^\gamma \log p_{ik}`.
        """
        weight = None if self.class_weight is None else self.class_weight.to(logits.dtype)
        # PyTorch would ignore samples with the label -100; no label is the smallest integer.
        ignored = torch.iinfo(torch.long).min
        if self.focal_gamma == 0:
            alone = weight is None and (not self.global_batch or world_size() == 1)
            losses = cross_entropy(logits, labels, weight, ignore_index=ignored, reduction='mean' if alone else 'none')
            return losses if alone else self.mean(losses)
        log_p = logits.log_softmax(dim=1)
        # At p = 1 the slope of the factor is infinite for a gamma below 1.
        focal = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).eps) ** self.focal_gamma
        losses = -focal * log_p if weight is None else -focal * log_p * weight
        soft = labels.is_floating_point()
        return self.mean((losses * labels).sum(dim=1) if soft else losses.gather(1, labels.unsqueeze(1)).squeeze(1))

    def check_soft_labels(self, labels: Tensor) -> None:
        """Refuse soft or one-hot labels (N, K) whose rows do not add up to 1.

        Each batch is checked on the CPU; on an accelerator, where the check stalls the step, only the first one.

        Raises:
            ValueError: A row does not add up to 1, as with several labels per image.
        """
        if is_compiling() or (labels.device.type != 'cpu' and self._soft_labels_seen):
            return
        self._soft_labels_seen = True
        check_label_values(labels.detach(), labels.shape[1])
        totals = labels.detach().sum(dim=1, dtype=torch.float32)
        if not torch.allclose(totals, torch.ones_like(totals), atol=1e-2):
            raise ValueError(
                'Expected the rows of `labels` (N, K) to add up to 1, one class per image, but got sums from '
                f'{totals.min():g} to {totals.max():g}. A feature can lie at one centroid only, so give each image one '
                'label.'
            )

    def extra_repr(self) -> str:
        """Show the settings when the model is printed."""
        settings = (item for item in vars(self).items() if not item[0].startswith(('_', 'training')))
        return ', '.join(f'{name}={value!r}' for name, value in settings)

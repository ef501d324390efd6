"""Softmax with Center Loss, Eq. 4 of arXiv 2111.15449 v1 (Wen et al., ECCV 2016)."""

from typing import Any

import torch
from torch import Tensor

from mmpod.functional import center_loss, center_steps
from mmpod.registry import MODELS
from mmpod.utils.checks import check_integer, check_number
from mmpod.utils.distributed import global_sum

from .prototype_loss import PrototypeLoss

__all__ = ['CenterLoss']


@MODELS.register_module()
class CenterLoss(PrototypeLoss):
    r"""Cross entropy over :math:`w_j \cdot x_i`, and half the squared distance to a center that follows its class.

    .. math:: L = L_{Softmax} + \frac{\lambda}{2N} \sum_i \|x_i - c_{y_i}\|^2

    Eq. 4 prints the sum over the batch where the authors' Caffe layer takes the mean, as here; in the printed form the
    same weight counts N times as much. The centers start at zero and are not parameters: each training batch moves them
    once, by ``center_rate`` times :func:`~mmpod.functional.center_steps` over the batch of all processes. Accepts soft
    labels: a sample then belongs partly to several classes.

    Args:
        num_classes: K, as in the head.
        feat_dim: D, the dimension of the head's features.
        center_weight: Lambda of Eq. 4 for the mean, at least 0.
        center_rate: Step of the centers, from 0 to 1.
        kwargs: Passed to :class:`PrototypeLoss`.

    Attributes:
        centers: Buffer (K, D): saved with the weights, in no optimizer.

    Raises:
        ValueError: K and D are not those of the head.
    """

    similarity = 'dot'
    centers: Tensor

    def __init__(
        self, num_classes: int, feat_dim: int, center_weight: float = 0.003, center_rate: float = 0.5, **kwargs: Any
    ):
        super().__init__(**kwargs)
        check_integer('num_classes', num_classes, 2)
        check_integer('feat_dim', feat_dim, 1)
        check_number('center_weight', center_weight, 0)
        check_number('center_rate', center_rate, 0, 1)
        self.num_classes = num_classes
        self.center_weight = center_weight
        self.center_rate = center_rate
        self.register_buffer('centers', torch.zeros(num_classes, feat_dim))

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return ``loss_softmax`` and ``loss_center`` of Eq. 4; then, when training, move the centers."""
        if self.centers.shape != prototypes.shape:
            raise ValueError(
                "Expected `num_classes` and `feat_dim` of CenterLoss to be the sizes of the head's prototypes, "
                f'{tuple(prototypes.shape)}, but got {tuple(self.centers.shape)}.'
            )
        centers = self.centers.to(features.dtype)
        terms = {
            'loss_softmax': self.mean_cross_entropy(features @ prototypes.T, labels),
            'loss_center': self.center_weight * self.mean(center_loss(features, labels, centers)),
        }
        if self.training:
            sums, counts = center_steps(features, labels, centers)
            if self.global_batch:
                sums, counts = global_sum(sums), global_sum(counts)
            moved = self.centers + (self.center_rate * sums / (1 + counts).unsqueeze(1)).to(self.centers.dtype)
            # A new tensor: torch.compile would take gradients at centers that move in place. An infinite feature of one
            # batch must not ruin them for good.
            self.centers = torch.where(moved.isfinite(), moved, self.centers)
        return terms

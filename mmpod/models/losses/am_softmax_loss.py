"""AM-Softmax, Eq. 3 of arXiv 2111.15449 v1 (Wang et al., arXiv 1801.05599)."""

from typing import Any

from torch import Tensor

from mmpod.functional import additive_margin_logits, normalize_rows
from mmpod.registry import MODELS
from mmpod.utils.checks import check_number, check_one_class

from .prototype_loss import PrototypeLoss

__all__ = ['AMSoftmaxLoss']


@MODELS.register_module()
class AMSoftmaxLoss(PrototypeLoss):
    r"""Cross entropy over :math:`s (\cos\theta_j - m\,[j = y_i])`: the true class must win by a cosine margin.

    Args:
        scale: s, above 0. Wang et al. use 30. Zhu and Zu (arXiv 2111.15449) use 5, with which a feature at its vertex
            of a regular simplex of 100 classes gets a probability of 0.31 with their margin and 0.61 without a margin.
        margin: m, in units of the cosine, from 0 to 2. Wang et al. use 0.35, and Zhu and Zu use 0.25; 0 is plain
            softmax over cosines, which also accepts soft labels.
        kwargs: Passed to :class:`PrototypeLoss`.
    """

    def __init__(self, scale: float = 30.0, margin: float = 0.35, **kwargs: Any):
        super().__init__(**kwargs)
        check_number('scale', scale, 0, above=True)
        check_number('margin', margin, 0, 2)
        self.scale = scale
        self.margin = margin

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return ``loss_amsoftmax``, the mean of Eq. 3 over the batch."""
        cosines = normalize_rows(features) @ normalize_rows(prototypes).T
        if self.margin == 0:
            logits = self.scale * cosines
        else:
            check_one_class(labels, type(self).__name__, '`margin=0`, or mmpod.PODLoss')
            logits = additive_margin_logits(cosines, labels, self.scale, self.margin)
        return {'loss_amsoftmax': self.mean_cross_entropy(logits, labels)}

"""POD Loss, Section III-D of arXiv 2111.15449 v1."""

from typing import Optional

from torch import Tensor, nn

from mmpod.functional import (
    at_least_float32,
    class_residuals,
    cosine_loss,
    gather_rows,
    global_mean,
    no_autocast,
    normalize_rows,
    self_correlation_loss,
)
from mmpod.functional.checks import check_features, check_labels, check_number
from mmpod.registry import MODELS

__all__ = ['PODLoss']


@MODELS.register_module()
class PODLoss(nn.Module):
    r"""Pull features to their class centroids and decorrelate what is left over.

    .. math:: L_{POD} = L_{Cosine} + \lambda L_{SC} \quad \text{(Eq. 16)}

    with :func:`~mmpod.functional.cosine_loss` (Eq. 13) averaged over the batch and
    :func:`~mmpod.functional.self_correlation_loss` (Eq. 14). Computed in float32 whatever autocast says: the entries
    of the SC term are near 1e-10 and vanish in half precision.

    Args:
        sc_weight: Lambda of Eq. 16, at least 0, for Eq. 14 as printed. The paper gives no value; the authors' released
            code divides Eq. 14 by D - 1 and adds it with weight 1, which here is ``sc_weight=1 / (D - 1)``. With 0 the
            loss is the paper's Cosine Loss.
        power: Exponent of the cosine term, at least 1; 2 is Eq. 13, 1 is PEDCC-MSE (Eq. 12).
        loss_weight: Factor on both terms, at least 0.
        global_batch: Take the statistics over the batch of all processes (what one process with the whole batch would
            compute; the authors' DataParallel did) instead of over each process's own part.

    Raises:
        TypeError: An argument is no number.
        ValueError: An argument is out of range.
    """

    def __init__(self, sc_weight: float = 1.0, power: float = 2, loss_weight: float = 1.0, global_batch: bool = True):
        super().__init__()
        check_number('sc_weight', sc_weight, 0)
        check_number('power', power, 1)
        check_number('loss_weight', loss_weight, 0)
        self.sc_weight = sc_weight
        self.power = power
        self.loss_weight = loss_weight
        self.global_batch = global_batch

    def forward(
        self, features: Tensor, labels: Tensor, centroids: Optional[Tensor] = None, **kwargs
    ) -> dict[str, Tensor]:
        """Return the weighted terms of the loss; their sum is the objective.

        Args:
            features: z, shape (N, D), as they leave the projection, not normalised.
            labels: Shape (N,), integers in [0, K), or (N, K), floating-point class weights (Mixup, CutMix, smoothing).
            centroids: Shape (K, D), unit rows.
            kwargs: None. What mmpretrain's other heads pass lands here, to be answered with the error below.

        Returns:
            dict[str, Tensor]: ``loss_cosine`` and, unless ``sc_weight`` is 0, ``loss_sc``, scalars.

        Raises:
            TypeError: The loss is in a head without centroids, or the labels have a wrong dtype.
            ValueError: Shapes that do not fit, or labels out of range.
        """
        if centroids is None or kwargs:
            raise TypeError(
                'Expected `centroids` of shape (K, D) from the head, but this head passes '
                f'{sorted(kwargs) or "none"}: PODLoss works on features and centroids, not on logits. '
                "Use it in a head that has them: head=dict(type='mmpod.PEDCCHead', num_classes=..., "
                'in_channels=..., feat_dim=...).'
            )
        check_features(features, centroids)
        check_labels(labels, len(features), len(centroids))
        with no_autocast(features):
            unit = normalize_rows(at_least_float32(features))
            centroids = centroids.to(unit.dtype)
            labels = labels.to(unit.dtype) if labels.is_floating_point() else labels
            cosine_terms = cosine_loss(unit, labels, centroids, self.power)
            mean = global_mean(cosine_terms) if self.global_batch else cosine_terms.mean()
            losses = {'loss_cosine': self.loss_weight * mean}
            if self.sc_weight > 0:
                residuals = class_residuals(unit, labels, centroids)
                residuals = gather_rows(residuals) if self.global_batch else residuals
                losses['loss_sc'] = self.loss_weight * self.sc_weight * self_correlation_loss(residuals)
        return losses

    def extra_repr(self) -> str:
        """Show the settings when the model is printed."""
        return (
            f'sc_weight={self.sc_weight}, power={self.power}, loss_weight={self.loss_weight}, '
            f'global_batch={self.global_batch}'
        )

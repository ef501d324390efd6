"""POD Loss, Section III-D of arXiv 2111.15449 v1."""

from typing import Optional, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from mmpod.functional import (
    barlow_twins_loss,
    class_residuals,
    cosine_loss,
    normalize_rows,
    pod_loss,
    self_correlation_loss,
    vicreg_covariance_loss,
)
from mmpod.registry import MODELS
from mmpod.utils.checks import check_choice, check_number

from .prototype_loss import PrototypeLoss, is_compiling

__all__ = ['PODLoss']

DECORRELATION = {'sc': self_correlation_loss, 'barlow': barlow_twins_loss, 'vicreg': vicreg_covariance_loss}


@MODELS.register_module()
class PODLoss(PrototypeLoss):
    r"""Pull features to their class centroids and decorrelate the residuals.

    .. math:: L_{POD} = L_{Cosine} + \lambda L_{SC} \quad \text{(Eq. 16)}

    with :func:`~mmpod.functional.cosine_loss` (Eq. 13) averaged over the batch and
    :func:`~mmpod.functional.self_correlation_loss` (Eq. 14). Computed in float32 even under autocast: the entries
    of the SC term are near 1e-10 and vanish in half precision. Accepts soft labels.

    Args:
        sc_weight: Lambda of Eq. 16, at least 0, for Eq. 14 as printed. The paper gives no value; the authors' released
            code divides Eq. 14 by D - 1 and adds it with weight 1, which here is ``sc_weight=1 / (D - 1)``. With 0 the
            loss is the paper's Cosine Loss.
        power: Exponent of the cosine term, at least 1; 2 is Eq. 13, 1 is PEDCC-MSE (Eq. 12), and 2 + gamma is Eq. 13
            with the focal factor :math:`(1 - \cos\theta)^\gamma`.
        decorrelation: The term that ``sc_weight`` multiplies: ``'sc'``, the paper's uncentred second moment, or, for
            comparison, ``'barlow'``, :func:`~mmpod.functional.barlow_twins_loss`, or ``'vicreg'``,
            :func:`~mmpod.functional.vicreg_covariance_loss`. Their scales differ by orders of magnitude.
        loss_weight, global_batch, class_weight: As in :class:`PrototypeLoss`.
        label_smooth_val: Epsilon of label smoothing (arXiv 1512.00567), at least 0 and below 1: labels become the soft
            labels :math:`(1 - \epsilon) T_{ik} + \epsilon / K`, also after Mixup and CutMix. This is the ``'original'``
            mode of mmpretrain's ``LabelSmoothLoss``; its ``'classy_vision'`` mode with :math:`\epsilon` equals this
            one with :math:`\epsilon / (1 + \epsilon)`.
    """

    def __init__(
        self,
        sc_weight: float = 1.0,
        power: float = 2,
        decorrelation: str = 'sc',
        loss_weight: float = 1.0,
        global_batch: bool = True,
        label_smooth_val: float = 0.0,
        class_weight: Optional[Sequence[float]] = None,
    ):
        super().__init__(loss_weight, global_batch, class_weight)
        check_number('sc_weight', sc_weight, 0)
        check_number('power', power, 1)
        check_choice('decorrelation', decorrelation, list(DECORRELATION))
        check_number('label_smooth_val', label_smooth_val, 0)
        if label_smooth_val >= 1:
            raise ValueError(f'Expected `label_smooth_val` to be below 1, but got {label_smooth_val}.')
        self.label_smooth_val = label_smooth_val
        self.sc_weight = sc_weight
        self.power = power
        self.decorrelation = decorrelation
        self._checked: tuple = ()  # the centroids that were last found to be of unit length, and their version

    @property
    def batch_statistics(self) -> bool:
        """Whether there is a decorrelation term."""
        return self.sc_weight > 0

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return ``loss_cosine`` and, unless ``sc_weight`` is 0, ``loss_`` plus the decorrelation (Eq. 16)."""
        labels = self.smoothed(labels, prototypes)
        fused = self.decorrelation == 'sc' and self.class_weight is None
        if not fused or labels.is_floating_point() or prototypes.requires_grad:
            return self.separate_terms(features, labels, prototypes)
        self.check_unit(prototypes)
        cosine, correlation = pod_loss(features, labels, prototypes, self.power, self.sc_weight, self.batch(features))
        return {'loss_cosine': cosine, 'loss_sc': correlation} if self.sc_weight > 0 else {'loss_cosine': cosine}

    def check_unit(self, centroids: Tensor) -> None:
        """Raise a ValueError for frozen centroids that are not of unit length; each tensor is checked only once."""
        if is_compiling():
            return
        version = None if centroids.is_inference() else centroids._version  # counts changes in place
        if self._checked and self._checked[0] is centroids and self._checked[1] == version:
            return
        length = torch.linalg.vector_norm(centroids, dim=1)
        if not torch.allclose(length, torch.ones_like(length), atol=1e-4):
            raise ValueError(
                'Expected the rows of frozen `centroids` to be of unit length, but got lengths from '
                f'{length.min():g} to {length.max():g}: pass normalize_rows(centroids), or ones that require gradients.'
            )
        self._checked = centroids, version

    def smoothed(self, labels: Tensor, prototypes: Tensor) -> Tensor:
        """Return the labels after label smoothing."""
        if self.label_smooth_val == 0:
            return labels
        soft = labels if labels.is_floating_point() else one_hot(labels, len(prototypes))
        return (1 - self.label_smooth_val) * soft.to(prototypes.dtype) + self.label_smooth_val / len(prototypes)

    def separate_terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return the terms of :func:`~mmpod.functional.pod_loss` separately: any labels, prototypes, decorrelation."""
        weight = self.class_weight
        if not labels.is_floating_point():  # only the prototypes of the classes in the batch
            weight = None if weight is None else weight.index_select(0, labels)
            prototypes, labels = prototypes.index_select(0, labels), torch.arange(len(labels), device=labels.device)
        unit, centroids = normalize_rows(features), normalize_rows(prototypes)
        terms = {'loss_cosine': self.cosine_term(features, unit, labels, centroids, weight)}
        if self.sc_weight > 0:
            residuals = class_residuals(unit, labels, centroids)
            term = DECORRELATION[self.decorrelation](residuals, self.batch(features))
            terms[f'loss_{self.decorrelation}'] = self.sc_weight * term
        return terms

    def cosine_term(
        self, features: Tensor, unit: Tensor, labels: Tensor, centroids: Tensor, weight: Optional[Tensor]
    ) -> Tensor:
        """Return Eq. 13 from the unit features (N, D), weighted by one number per centroid."""
        if weight is None:
            return self.mean(cosine_loss(unit, labels, centroids, self.power))
        if labels.is_floating_point():
            return self.mean(cosine_loss(unit, labels * weight.to(unit.dtype), centroids, self.power))
        return self.mean(cosine_loss(unit, labels, centroids, self.power) * weight[labels])

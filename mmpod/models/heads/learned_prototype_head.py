"""The head of the baselines with learned class weights: L-Softmax, A-Softmax, AM-Softmax, Center Loss."""

from typing import Any, Union

from torch import Tensor, nn

from mmpod.registry import MODELS

from .prototype_head import PrototypeHead

__all__ = ['LearnedPrototypeHead']


@MODELS.register_module()
class LearnedPrototypeHead(PrototypeHead):
    r"""Classify by the similarity to one learned weight vector per class.

    pooled features x (N, C) -> similarity with the K class weights w (N, K) -> argmax. There is no projection (D = C)
    and no bias, as in Eq. 1-4 of arXiv 2111.15449 v1 and in the papers of these losses. It predicts by the similarity
    that the loss trains: the cosine if the loss normalises the class weights (AM-Softmax, A-Softmax), with
    ``pred_score`` (1 + cosine) / 2; otherwise the inner product (L-Softmax, Center Loss), with softmax probabilities.

    Args:
        num_classes, in_channels, loss: As in :class:`PrototypeHead`.
        kwargs: ``topk``, ``cal_acc`` (without the margin) and ``init_cfg`` (of ``fc``; by default PyTorch's own), as in
            :class:`PrototypeHead`.

    Attributes:
        fc: ``nn.Linear(in_channels, num_classes, bias=False)``, whose weight holds the prototypes.
    """

    def __init__(self, num_classes: int, in_channels: int, loss: Union[dict, nn.Module], **kwargs: Any):
        super().__init__(num_classes, in_channels, loss, **kwargs)
        self.fc = nn.Linear(in_channels, num_classes, bias=False)

    @property
    def prototypes(self) -> Tensor:
        """The class weights, shape (K, C), with gradients."""
        return self.fc.weight

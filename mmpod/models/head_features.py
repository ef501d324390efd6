"""The features of a classifier at the two stages that the paper examines."""

from typing import Optional, Union

from mmpretrain.models.heads import LinearClsHead, VisionTransformerClsHead
from torch import Tensor, nn

__all__ = ['STAGES', 'head_prototypes', 'stage_features']

STAGES = ('pooled', 'pre_logits')


def stage_features(head: nn.Module, feats: Union[Tensor, tuple[Tensor, ...]], stage: str) -> Tensor:
    """Return one feature vector per sample from the input of the head.

    Args:
        head: The classifier's head.
        feats: Output of the neck, shape (N, C), or a tuple whose last item has that shape.
        stage: ``'pooled'``, that output, shape (N, C), or ``'pre_logits'``, the features that the head compares with
            its prototypes, (N, D).

    Raises:
        ValueError: The features are not vectors.
    """
    if stage == 'pre_logits':
        features = head.pre_logits(feats)
    else:
        features = feats[-1] if isinstance(feats, (tuple, list)) else feats
    if not isinstance(features, Tensor) or features.ndim != 2:
        got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(
            f'Expected {stage} features of shape (N, D), but got {got}. Feature maps (N, C, H, W) need '
            "neck=dict(type='GlobalAveragePooling')."
        )
    return features


def head_prototypes(head: nn.Module) -> Optional[Tensor]:
    """Return the vectors that the head compares its ``pre_logits`` with, shape (K, D), without gradients.

    The centroids of a ``PEDCCHead``, the class weights of a ``LearnedPrototypeHead`` and of the last layer of
    mmpretrain's linear heads, whose bias is ignored; None for other heads.
    """
    if isinstance(head, LinearClsHead):
        return head.fc.weight.detach()
    if isinstance(head, VisionTransformerClsHead):
        return head.layers.head.weight.detach()
    prototypes = getattr(head, 'prototypes', None)
    return None if prototypes is None else prototypes.detach()

"""A neck for backbones with several vectors per image, such as Conformer's two branches and DeiT's two tokens."""

from typing import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmpod.registry import MODELS

__all__ = ['ConcatFeatures']


@MODELS.register_module(name=['ConcatFeatures', 'JoinFeatures'])  # the second: the name in configs of 0.1
class ConcatFeatures(BaseModule):
    """Concatenate the vectors of the last stage.

    The original heads apply one linear layer to each vector and add or average the results, which is one linear layer
    on the concatenation. Nothing is lost, and every branch gets a gradient, without which DDP would fail.
    """

    def forward(self, feats: Sequence[Sequence[Tensor]]) -> tuple[Tensor]:
        """Return the concatenated vectors, a tuple of one tensor (N, C_1 + C_2 + ...).

        Args:
            feats: A tuple whose last item is a list of tensors (N, C_1), (N, C_2), ...

        Raises:
            ValueError: The last item is not such a list.
        """
        vectors = feats[-1]
        if not isinstance(vectors, (tuple, list)) or any(vector.ndim != 2 for vector in vectors):
            got = [tuple(item.shape) for item in vectors] if isinstance(vectors, (tuple, list)) else 'one tensor'
            raise ValueError(
                f'Expected the last stage to give a list of vectors (N, C), but got {got}. Leave ConcatFeatures '
                "out for one vector per image; use neck=dict(type='GlobalAveragePooling') for feature maps."
            )
        return (torch.cat(tuple(vectors), dim=1),)

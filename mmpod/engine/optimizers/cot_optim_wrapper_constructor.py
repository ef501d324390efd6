"""Two optimizers over the same parameters, for Complement Objective Training."""

import copy
from typing import Optional

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapperDict
from torch import nn

from mmpod.registry import OPTIM_WRAPPER_CONSTRUCTORS

__all__ = ['COTOptimWrapperConstructor']


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class COTOptimWrapperConstructor:
    """Build ``primary`` and ``complement`` from one ``optim_wrapper`` config, each with its own momentum.

    Clipping, mixed precision (``--amp``) and the learning rate schedule apply to both.

    Args:
        optim_wrapper_cfg: ``optimizer`` and other settings, as for one optimizer.
        paramwise_cfg: As for MMEngine's default constructor.

    Raises:
        ValueError: The config accumulates gradients, which would mix those of the two objectives.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None):
        count = optim_wrapper_cfg.get('accumulative_counts', 1)
        if count != 1:
            raise ValueError(
                'Expected `optim_wrapper.accumulative_counts` to be 1 for COT, whose two objectives share the gradient '
                f'buffers and take turns, but got {count}. Use a larger batch or more processes.'
            )
        self.optim_wrapper_cfg = optim_wrapper_cfg
        self.paramwise_cfg = paramwise_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Return the two optimizer wrappers over all parameters of ``model``."""
        return OptimWrapperDict(
            **{
                name: DefaultOptimWrapperConstructor(copy.deepcopy(self.optim_wrapper_cfg), self.paramwise_cfg)(model)
                for name in ('primary', 'complement')
            }
        )

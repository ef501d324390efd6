"""A hook that runs convolutions in the memory format that is fastest on most hardware."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpod.engine.extraction import plain_model
from mmpod.registry import HOOKS

__all__ = ['ChannelsLastHook']


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keep weights and activations of convolutions as (N, H, W, C) in memory; values are the same up to rounding.

    A convolution whose weight is in that format computes and returns in it, so the images need no conversion.
    """

    def before_train(self, runner: Runner) -> None:
        """Convert the model, inside a distributed wrapper or not, after its checkpoint has been loaded."""
        plain_model(runner.model).to(memory_format=torch.channels_last)

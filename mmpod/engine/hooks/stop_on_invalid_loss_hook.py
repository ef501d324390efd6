"""Stopping a training run that has diverged."""

from typing import Optional

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpod.functional.checks import check_integer
from mmpod.registry import HOOKS

__all__ = ['StopOnInvalidLossHook']


@HOOKS.register_module()
class StopOnInvalidLossHook(Hook):
    """Stop with an error when the loss is NaN or infinite, before the next checkpoint holds ruined weights.

    Args:
        interval: Iterations between two looks; the last iteration of an epoch is always looked at. Reading the loss
            waits for the accelerator, so not every step is looked at.

    Raises:
        FloatingPointError: While training, from the hook.
    """

    priority = 'VERY_HIGH'

    def __init__(self, interval: int = 50):
        check_integer('interval', interval, 1)
        self.interval = interval

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[dict[str, torch.Tensor]] = None,
    ) -> None:
        """Look at ``outputs['loss']``, the sum of all loss terms on this rank."""
        if not (
            self.every_n_train_iters(runner, self.interval) or self.end_of_epoch(runner.train_dataloader, batch_idx)
        ):
            return
        if not torch.isfinite(outputs['loss']):
            raise FloatingPointError(
                f'Expected a finite loss, but got {outputs["loss"]} in iteration {runner.iter + 1} (epoch '
                f'{runner.epoch + 1}): training has diverged, or the data holds invalid values. Lower the learning '
                'rate or `sc_weight`, add a warm-up or clip gradients (optim_wrapper.clip_grad); then resume from '
                'the last checkpoint.'
            )

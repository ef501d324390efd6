"""A hook that stops a training run that has diverged."""

from typing import Optional

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpod.registry import HOOKS
from mmpod.utils.checks import check_integer

__all__ = ['CheckInvalidLossHook']


@HOOKS.register_module(name=['CheckInvalidLossHook', 'StopOnInvalidLossHook'])  # the second: its name in 0.1
class CheckInvalidLossHook(Hook):
    """Stop with an error if the loss is NaN or infinite, or if NaN or infinite weights would be saved.

    Args:
        interval: Iterations between two checks of the loss; the last iteration of an epoch is always checked. Reading
            the loss waits for the accelerator, so not every step is checked. The weights are checked before they are
            saved.

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
        """Check ``outputs['loss']``, the sum of all loss terms on this rank."""
        if not (
            self.every_n_train_iters(runner, self.interval) or self.end_of_epoch(runner.train_dataloader, batch_idx)
        ):
            return
        if not torch.isfinite(outputs['loss']):
            self.stop(runner, f'a finite loss, but got {outputs["loss"]}')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the weights of ``checkpoint``."""
        for name, tensor in checkpoint['state_dict'].items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                self.stop(runner, f'finite weights to save, but got NaN or infinity in `{name}`')

    def stop(self, runner: Runner, expectation: str) -> None:
        """Raise an error that says what was expected and what to do."""
        raise FloatingPointError(
            f'Expected {expectation} in iteration {runner.iter + 1} (epoch {runner.epoch + 1}): training has diverged, '
            'or the data holds invalid values. Lower the learning rate or `sc_weight`, add a warm-up or clip gradients '
            '(optim_wrapper.clip_grad); then resume from the last checkpoint.'
        )

"""A hook that logs without waiting for the accelerator in every iteration."""

from typing import Optional

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner

from mmpod.registry import HOOKS

__all__ = ['DeferredRuntimeInfoHook']


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook``, but reading the losses of an interval together when they are about to be logged.

    MMEngine itself reads every value in every iteration, and the host waits for the device each time. The log is the
    same. In a config: ``default_hooks=dict(runtime_info=dict(type='mmpod.DeferredRuntimeInfoHook'))``.
    """

    def before_train(self, runner: Runner) -> None:
        """Use the interval of the run's ``LoggerHook``."""
        super().before_train(runner)
        self.pending: list[dict[str, torch.Tensor]] = []
        self.interval = min((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), default=50)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None, outputs: Optional[dict] = None
    ) -> None:
        """Keep the values of an iteration; pass all of them on when the log will be written."""
        if outputs is not None:
            self.pending.append({key: torch.as_tensor(value).detach() for key, value in outputs.items()})
        if self.every_n_inner_iters(batch_idx, self.interval) or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.flush(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Pass on the values that the saved log must contain; the Runner has already copied the log."""
        self.flush(runner)
        checkpoint['message_hub']['log_scalars'] = runner.message_hub.state_dict()['log_scalars']

    def flush(self, runner: Runner) -> None:
        """Pass the pending values to the message hub, in order."""
        for outputs in self.pending:
            super().after_train_iter(runner, 0, outputs=outputs)
        self.pending.clear()

"""A hook that validates after resuming, so that the curve of an interrupted run has no gap."""

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmpod.registry import HOOKS

__all__ = ['ValidateOnResumeHook']


@HOOKS.register_module()
class ValidateOnResumeHook(Hook):
    """Validate the weights that a run resumes from, if validation is due after their epoch.

    The checkpoint of an epoch is saved before its validation. If a run is killed between the two, the accuracy of that
    epoch, which may be the last one, would never be measured.
    """

    priority = 'VERY_LOW'

    def before_train(self, runner: Runner) -> None:
        """Run the validation loop, at the epoch of the checkpoint; not at the start of a new run."""
        loop = runner.train_loop
        if (
            runner.val_loop is None
            or not isinstance(loop, EpochBasedTrainLoop)
            or runner.epoch < max(1, loop.val_begin)
            or runner.iter != runner.epoch * len(loop.dataloader)  # saved within an epoch
        ):
            return
        if runner.epoch % loop.val_interval == 0 or runner.epoch == loop.max_epochs:
            runner.val_loop.run()

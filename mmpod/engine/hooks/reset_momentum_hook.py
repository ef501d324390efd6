"""A hook that resets the momentum when the learning rate drops, as the authors' released code does."""

from typing import Sequence

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner

from mmpod.engine.extraction import require_epochs
from mmpod.registry import HOOKS
from mmpod.utils.checks import check_integer

__all__ = ['ResetMomentumHook']


@HOOKS.register_module()
class ResetMomentumHook(Hook):
    """Clear the state of the optimizer after the given numbers of trained epochs.

    This has the effect of rebuilding the optimizer, which the released code does at each drop of the learning rate.

    Args:
        epochs: Numbers of trained epochs, each at least 1: the milestones of the schedule.

    Raises:
        TypeError: One of them is not an integer.
        UserError: Before training: the loop has no epochs.
        ValueError: One of them is below 1.
    """

    def __init__(self, epochs: Sequence[int]):
        for epoch in epochs:
            check_integer('epochs', epoch, 1)
        self.epochs = tuple(epochs)

    def before_train(self, runner: Runner) -> None:
        """Refuse a loop without epochs."""
        require_epochs(runner, self)

    def before_train_epoch(self, runner: Runner) -> None:
        """Clear the momentum and all other state of the optimizers."""
        if runner.epoch not in self.epochs:
            return
        wrapper = runner.optim_wrapper
        for part in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
            part.optimizer.state.clear()

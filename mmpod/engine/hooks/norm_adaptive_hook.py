"""A hook that schedules delta in the norm-adaptive cosine loss (the authors' second version, 2022)."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpod.engine.extraction import plain_model, require_epochs
from mmpod.models import NormAdaptivePODLoss
from mmpod.registry import HOOKS

__all__ = ['NormAdaptiveHook']


@HOOKS.register_module()
class NormAdaptiveHook(Hook):
    """After each training epoch, set delta from the lengths of the epoch's features.

    Delta is then ``rate`` x (number of epochs trained) x (mean length), the same in every process, and saved with the
    checkpoint of that epoch. The log of the next epoch shows it as ``delta``, and the mean length that it came from as
    ``feature_length``.

    Raises:
        TypeError: Before training, if the model has no ``NormAdaptivePODLoss``.
        UserError: The training loop has no epochs.
    """

    def before_train(self, runner: Runner) -> None:
        """Find the loss, inside a distributed wrapper or not."""
        require_epochs(runner, self)
        modules = plain_model(runner.model).modules()
        losses = [module for module in modules if isinstance(module, NormAdaptivePODLoss)]
        if len(losses) != 1:
            raise TypeError(
                'Expected the model to hold one NormAdaptivePODLoss for NormAdaptiveHook, but got '
                f"{len(losses)}. Set head.loss=dict(type='mmpod.NormAdaptivePODLoss'), or remove the hook."
            )
        self.loss = losses[0]
        self.loss.scheduled = True

    def after_train_epoch(self, runner: Runner) -> None:
        """Set delta before the checkpoint hook, which has a lower priority."""
        mean_length = self.loss.update_delta(runner.epoch + 1)
        runner.message_hub.update_scalar('train/feature_length', mean_length.item())
        runner.message_hub.update_scalar('train/delta', self.loss.delta.item())

"""A hook that refuses to evaluate or to resume a model without all of its weights."""

from typing import Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpod.engine.checkpoints import incomplete_error, load_fitting_weights
from mmpod.engine.extraction import plain_model
from mmpod.registry import HOOKS

__all__ = ['CheckWeightsHook']


@HOOKS.register_module()
class CheckWeightsHook(Hook):
    """Refuse to evaluate or to resume a checkpoint that does not contain exactly the weights of the model.

    MMEngine only logs missing weights and goes on with their initial values. A new training may start from a checkpoint
    with only a part of the weights (``load_from``).

    Raises:
        UserError: Before a test, a validation without training, or a resumed training.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self.checkpoint: Optional[dict] = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the checkpoint with the model to be resumed, or remember it for an evaluation that may follow."""
        self.checkpoint = checkpoint
        if runner._resume:
            self.before_val(runner)

    def before_train(self, runner: Runner) -> None:
        """Let a new training start from any checkpoint."""
        self.checkpoint = None

    def before_val(self, runner: Runner) -> None:
        """Compare the checkpoint with the model."""
        checkpoint, self.checkpoint = self.checkpoint, None
        difference = '' if checkpoint is None else load_fitting_weights(plain_model(runner.model), checkpoint)
        if difference:
            raise incomplete_error(runner._load_from, difference, runner._resume)

    before_test = before_val

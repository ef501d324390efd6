"""A hook that compares a checkpoint with the model to evaluate or to resume: weights, normalisation and settings."""

import copy
import logging
from typing import Optional

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpretrain.engine.hooks import SwitchRecipeHook

from mmpod.engine.checkpoints import incomplete_error, load_fitting_weights, normalisation_error
from mmpod.engine.extraction import plain_model
from mmpod.models import PrototypeHead, PrototypeLoss
from mmpod.registry import HOOKS
from mmpod.utils.config_differences import differences, parse_settings
from mmpod.utils.errors import UserError

__all__ = ['CheckWeightsHook']

NOT_COMPARED = ('work_dir', 'load_from', 'resume', 'launcher', 'model_wrapper_cfg')


@HOOKS.register_module()
class CheckWeightsHook(Hook):
    """Refuse to evaluate or to resume a checkpoint that does not contain exactly the weights of the model.

    MMEngine only logs missing weights and continues with their initial values. A new training may start from a
    checkpoint with only a part of the weights (``load_from``); the schedules of mmpod's losses, such as the margin of
    L-Softmax, then begin at their start. An evaluation must normalise images as the training did, if the checkpoint
    says how. If settings have changed since a checkpoint to be resumed was saved, a warning names them.

    Raises:
        UserError: Before a test, a validation without training, or a resumed training. Before any training:
            mmpretrain's ``SwitchRecipeHook`` would change from or to one of mmpod's losses.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self.checkpoint: Optional[dict] = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the checkpoint with the model to be resumed, or remember it for an evaluation that may follow."""
        self.checkpoint = copy.copy(checkpoint)  # MMEngine's FlexibleRunner removes the weights from its dict
        if runner._resume:
            self.before_val(runner)
            _warn_of_changed_settings(runner, checkpoint)

    def before_train(self, runner: Runner) -> None:
        """Let a new training start from any checkpoint, with the schedules of its losses at their start."""
        self.checkpoint, model = None, plain_model(runner.model)
        if not runner._resume:
            for module in model.modules():
                if isinstance(module, PrototypeLoss):
                    module.restart_schedule()
        compares = isinstance(getattr(model, 'head', None), PrototypeHead)
        for hook in runner.hooks:
            losses = [step.get('loss') for step in hook.schedule.values()] if isinstance(hook, SwitchRecipeHook) else []
            if any(isinstance(loss, PrototypeLoss) or (compares and loss is not None) for loss in losses):
                raise UserError(
                    'Expected one loss for the whole training with mmpod, but SwitchRecipeHook changes to another. '
                    'Train in two runs: the second with its loss in model.head.loss and load_from=CHECKPOINT of the '
                    'first.'
                )

    def before_val(self, runner: Runner) -> None:
        """Compare the checkpoint with the model, and the normalisation of images unless training resumes."""
        checkpoint, self.checkpoint = self.checkpoint, None
        if checkpoint is None:
            return
        model = plain_model(runner.model)
        difference = load_fitting_weights(model, checkpoint)
        if difference:
            raise incomplete_error(runner._load_from, difference, runner._resume)
        error = None if runner._resume else normalisation_error(model, checkpoint, runner._load_from)
        if error:
            raise error

    before_test = before_val


def _warn_of_changed_settings(runner: Runner, checkpoint: dict) -> None:
    text = checkpoint.get('meta', {}).get('cfg')
    if not text:
        return
    try:
        old, new = (
            {key: value for key, value in parse_settings(each).items() if key not in NOT_COMPARED}
            for each in (text, runner.cfg.pretty_text)
        )
    except SyntaxError:  # the config of a checkpoint that was saved elsewhere need not be Python
        return
    changed = differences(old, new)
    if changed:
        print_log(
            f'The settings have changed since {runner._load_from} was saved (old -> new): {changed}. Seed, learning '
            'rate, schedule and optimizer state are those of the checkpoint, so changes to them have no effect. To '
            f'apply them, start a new training from its weights: --cfg-options load_from={runner._load_from} and '
            'another --work-dir.',
            logger='current',
            level=logging.WARNING,
        )

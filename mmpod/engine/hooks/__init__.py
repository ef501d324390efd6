"""Hooks."""

from .epoch_seed_hook import EpochSeedHook
from .norm_adaptive_hook import NormAdaptiveHook
from .num_classes_hook import NumClassesHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .reset_momentum_hook import ResetMomentumHook
from .stop_on_invalid_loss_hook import StopOnInvalidLossHook
from .validate_on_resume_hook import ValidateOnResumeHook

__all__ = [
    'EpochSeedHook',
    'NormAdaptiveHook',
    'NumClassesHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'StopOnInvalidLossHook',
    'ValidateOnResumeHook',
]

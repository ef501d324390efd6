"""Hooks."""

from mmpod.engine.hooks.check_invalid_loss_hook import CheckInvalidLossHook

from .channels_last_hook import ChannelsLastHook
from .compile_features_hook import CompileFeaturesHook
from .deferred_runtime_info_hook import DeferredRuntimeInfoHook
from .epoch_seed_hook import EpochSeedHook
from .features_hook import FeaturesHook
from .fit_gda_hook import FitGDAHook
from .norm_adaptive_hook import NormAdaptiveHook
from .num_classes_hook import NumClassesHook
from .open_set_hook import OpenSetHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .reset_momentum_hook import ResetMomentumHook
from .validate_on_resume_hook import ValidateOnResumeHook

__all__ = [
    'FeaturesHook',
    'FitGDAHook',
    'ChannelsLastHook',
    'CompileFeaturesHook',
    'DeferredRuntimeInfoHook',
    'EpochSeedHook',
    'NormAdaptiveHook',
    'NumClassesHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'CheckInvalidLossHook',
    'ValidateOnResumeHook',
]

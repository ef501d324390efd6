"""Hooks."""

from .channels_last_hook import ChannelsLastHook
from .check_data_hook import CheckDataHook
from .check_invalid_loss_hook import CheckInvalidLossHook
from .check_weights_hook import CheckWeightsHook
from .compile_features_hook import CompileFeaturesHook
from .deferred_runtime_info_hook import DeferredRuntimeInfoHook
from .epoch_seed_hook import EpochSeedHook
from .features_hook import FeaturesHook
from .fit_gda_hook import FitGDAHook
from .norm_adaptive_hook import NormAdaptiveHook
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
    'OpenSetHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'CheckDataHook',
    'CheckInvalidLossHook',
    'CheckWeightsHook',
    'ValidateOnResumeHook',
]

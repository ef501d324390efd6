"""What plugs into MMEngine's Runner."""

from .hooks import (
    ChannelsLastHook,
    EpochSeedHook,
    FeaturesHook,
    FitGDAHook,
    NormAdaptiveHook,
    NumClassesHook,
    OpenSetHook,
    PlainCheckpointHook,
    ResetMomentumHook,
    StopOnInvalidLossHook,
    ValidateOnResumeHook,
)
from .optimizers import BFloat16OptimWrapper, COTOptimWrapperConstructor
from .whole_file_backend import WholeFileBackend

__all__ = [
    'BFloat16OptimWrapper',
    'COTOptimWrapperConstructor',
    'FeaturesHook',
    'FitGDAHook',
    'ChannelsLastHook',
    'EpochSeedHook',
    'NormAdaptiveHook',
    'NumClassesHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'StopOnInvalidLossHook',
    'ValidateOnResumeHook',
    'WholeFileBackend',
]

"""What plugs into MMEngine's Runner."""

from mmpod.engine.atomic_local_backend import AtomicLocalBackend

from .hooks import (
    ChannelsLastHook,
    CheckInvalidLossHook,
    CompileFeaturesHook,
    DeferredRuntimeInfoHook,
    EpochSeedHook,
    FeaturesHook,
    FitGDAHook,
    NormAdaptiveHook,
    NumClassesHook,
    OpenSetHook,
    PlainCheckpointHook,
    ResetMomentumHook,
    ValidateOnResumeHook,
)
from .optimizers import BFloat16OptimWrapper, COTOptimWrapperConstructor

__all__ = [
    'BFloat16OptimWrapper',
    'COTOptimWrapperConstructor',
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
    'AtomicLocalBackend',
]

"""Extensions of MMEngine's Runner: hooks, optimizers, checkpoints and file backends."""

from mmpod.engine.atomic_local_backend import AtomicLocalBackend

from .checkpoints import get_model
from .hooks import (
    ChannelsLastHook,
    CheckDataHook,
    CheckInvalidLossHook,
    CheckWeightsHook,
    CompileFeaturesHook,
    DeferredRuntimeInfoHook,
    EpochSeedHook,
    FeaturesHook,
    FitGDAHook,
    NormAdaptiveHook,
    OpenSetHook,
    PlainCheckpointHook,
    ResetMomentumHook,
    ValidateOnResumeHook,
)
from .inferencer import Inferencer
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
    'Inferencer',
    'NormAdaptiveHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'CheckDataHook',
    'CheckInvalidLossHook',
    'CheckWeightsHook',
    'ValidateOnResumeHook',
    'AtomicLocalBackend',
    'get_model',
]

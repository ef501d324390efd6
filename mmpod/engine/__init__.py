"""What plugs into MMEngine's Runner."""

from .hooks import (
    EpochSeedHook,
    NormAdaptiveHook,
    NumClassesHook,
    PlainCheckpointHook,
    ResetMomentumHook,
    StopOnInvalidLossHook,
    ValidateOnResumeHook,
)
from .optimizers import COTOptimWrapperConstructor
from .whole_file_backend import WholeFileBackend

__all__ = [
    'COTOptimWrapperConstructor',
    'EpochSeedHook',
    'NormAdaptiveHook',
    'NumClassesHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'StopOnInvalidLossHook',
    'ValidateOnResumeHook',
    'WholeFileBackend',
]

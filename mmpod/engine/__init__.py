"""What plugs into MMEngine's Runner."""

from .hooks import (
    NormAdaptiveHook,
    NumClassesHook,
    PlainCheckpointHook,
    ResetMomentumHook,
    StopOnInvalidLossHook,
    ValidateOnResumeHook,
)
from .optimizers import COTOptimWrapperConstructor

__all__ = [
    'COTOptimWrapperConstructor',
    'NormAdaptiveHook',
    'NumClassesHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'StopOnInvalidLossHook',
    'ValidateOnResumeHook',
]

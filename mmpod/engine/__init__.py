"""What plugs into MMEngine's Runner."""

from .hooks import (
    NormAdaptiveHook,
    PlainCheckpointHook,
    ResetMomentumHook,
    StopOnInvalidLossHook,
    ValidateOnResumeHook,
)
from .optimizers import COTOptimWrapperConstructor

__all__ = [
    'COTOptimWrapperConstructor',
    'NormAdaptiveHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'StopOnInvalidLossHook',
    'ValidateOnResumeHook',
]

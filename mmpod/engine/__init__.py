"""What plugs into MMEngine's Runner."""

from .hooks import (
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
from .optimizers import COTOptimWrapperConstructor

__all__ = [
    'COTOptimWrapperConstructor',
    'FeaturesHook',
    'FitGDAHook',
    'NormAdaptiveHook',
    'NumClassesHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'StopOnInvalidLossHook',
    'ValidateOnResumeHook',
]

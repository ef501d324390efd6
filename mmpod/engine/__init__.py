"""What plugs into MMEngine's Runner."""

from .hooks import FeaturesHook, FitGDAHook, NormAdaptiveHook, OpenSetHook, PlainCheckpointHook, StopOnInvalidLossHook
from .optimizers import COTOptimWrapperConstructor

__all__ = [
    'COTOptimWrapperConstructor',
    'FeaturesHook',
    'FitGDAHook',
    'NormAdaptiveHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'StopOnInvalidLossHook',
]

"""What plugs into MMEngine's Runner."""

from .hooks import NormAdaptiveHook, PlainCheckpointHook, StopOnInvalidLossHook
from .optimizers import COTOptimWrapperConstructor

__all__ = ['COTOptimWrapperConstructor', 'NormAdaptiveHook', 'PlainCheckpointHook', 'StopOnInvalidLossHook']

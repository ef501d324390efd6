"""What plugs into MMEngine's Runner."""

from .hooks import PlainCheckpointHook, StopOnInvalidLossHook

__all__ = ['PlainCheckpointHook', 'StopOnInvalidLossHook']

"""Hooks."""

from .plain_checkpoint_hook import PlainCheckpointHook
from .stop_on_invalid_loss_hook import StopOnInvalidLossHook

__all__ = ['PlainCheckpointHook', 'StopOnInvalidLossHook']

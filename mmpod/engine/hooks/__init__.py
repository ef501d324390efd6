"""Hooks."""

from .norm_adaptive_hook import NormAdaptiveHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .stop_on_invalid_loss_hook import StopOnInvalidLossHook

__all__ = ['NormAdaptiveHook', 'PlainCheckpointHook', 'StopOnInvalidLossHook']

"""Hooks."""

from .features_hook import FeaturesHook
from .fit_gda_hook import FitGDAHook
from .norm_adaptive_hook import NormAdaptiveHook
from .open_set_hook import OpenSetHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .stop_on_invalid_loss_hook import StopOnInvalidLossHook

__all__ = [
    'FeaturesHook',
    'FitGDAHook',
    'NormAdaptiveHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'StopOnInvalidLossHook',
]

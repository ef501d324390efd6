"""Optimizer constructors."""

from .cot_optim_wrapper_constructor import COTOptimWrapperConstructor

__all__ = ['COTOptimWrapperConstructor']

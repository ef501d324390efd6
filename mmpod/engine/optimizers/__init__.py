"""Optimizer wrappers and their constructors."""

from .bfloat16_optim_wrapper import BFloat16OptimWrapper
from .cot_optim_wrapper_constructor import COTOptimWrapperConstructor

__all__ = ['BFloat16OptimWrapper', 'COTOptimWrapperConstructor']

"""Classification heads."""

from .pedcc_head import PEDCCHead

__all__ = ['PEDCCHead']

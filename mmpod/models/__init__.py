"""Modules that mmpretrain builds from a config: heads and losses."""

from .heads import PEDCCHead
from .losses import PODLoss

__all__ = ['PEDCCHead', 'PODLoss']

"""Classifiers that train otherwise than by one step a batch, or decide otherwise than by their head."""

from .cot_classifier import COTClassifier, COTDistributedDataParallel
from .gda_classifier import GDAClassifier

__all__ = ['COTClassifier', 'COTDistributedDataParallel', 'GDAClassifier']

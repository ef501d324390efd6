"""Classifiers that train otherwise than by one step a batch."""

from .cot_classifier import COTClassifier, COTDistributedDataParallel

__all__ = ['COTClassifier', 'COTDistributedDataParallel']

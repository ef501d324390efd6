"""Classifiers that take two training steps per batch (COT), or predict with Gaussians instead of the head (GDA)."""

from .cot_classifier import COTClassifier, COTDistributedDataParallel
from .gda_classifier import GDAClassifier

__all__ = ['COTClassifier', 'COTDistributedDataParallel', 'GDAClassifier']

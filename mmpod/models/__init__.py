"""Modules that mmpretrain builds from a config: backbones, necks, classifiers, heads and losses."""

from .backbones import ResNetSmallImage
from .classifiers import COTClassifier, COTDistributedDataParallel, GDAClassifier
from .heads import LearnedPrototypeHead, PEDCCHead, PrototypeHead
from .losses import (
    AMSoftmaxLoss,
    ASoftmaxLoss,
    CenterLoss,
    ComplementEntropyLoss,
    LSoftmaxLoss,
    NormAdaptivePODLoss,
    PEDCCLoss,
    PODLoss,
    PrototypeLoss,
)
from .necks import ConcatFeatures
from .preprocessors import CropFlipPreprocessor

__all__ = [
    'AMSoftmaxLoss',
    'ASoftmaxLoss',
    'COTClassifier',
    'COTDistributedDataParallel',
    'CenterLoss',
    'ComplementEntropyLoss',
    'CropFlipPreprocessor',
    'GDAClassifier',
    'ConcatFeatures',
    'LSoftmaxLoss',
    'LearnedPrototypeHead',
    'NormAdaptivePODLoss',
    'PEDCCHead',
    'PEDCCLoss',
    'PODLoss',
    'PrototypeHead',
    'PrototypeLoss',
    'ResNetSmallImage',
]

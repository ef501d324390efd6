"""Modules that mmpretrain builds from a config: backbones, necks, classifiers, heads and losses."""

from .backbones.resnet_small_image import ResNetSmallImage
from .classifiers.average_tta import AverageTTA
from .classifiers.cot_classifier import COTClassifier, COTDistributedDataParallel
from .classifiers.gda_classifier import GDAClassifier
from .heads.learned_prototype_head import LearnedPrototypeHead
from .heads.pedcc_head import PEDCCHead
from .heads.prototype_head import PrototypeHead
from .losses.am_softmax_loss import AMSoftmaxLoss
from .losses.asoftmax_loss import ASoftmaxLoss
from .losses.center_loss import CenterLoss
from .losses.complement_entropy_loss import ComplementEntropyLoss
from .losses.lsoftmax_loss import LSoftmaxLoss
from .losses.norm_adaptive_pod_loss import NormAdaptivePODLoss
from .losses.pedcc_loss import PEDCCLoss
from .losses.pod_loss import PODLoss
from .losses.prototype_loss import PrototypeLoss
from .necks.concat_features import ConcatFeatures
from .preprocessors.crop_flip_preprocessor import CropFlipPreprocessor

__all__ = [
    'AMSoftmaxLoss',
    'ASoftmaxLoss',
    'AverageTTA',
    'COTClassifier',
    'COTDistributedDataParallel',
    'CenterLoss',
    'ComplementEntropyLoss',
    'ConcatFeatures',
    'CropFlipPreprocessor',
    'GDAClassifier',
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

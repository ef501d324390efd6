"""Datasets that mmpretrain lacks, and the way test sets read image files."""

from .channel_orders import channel_order
from .cifar import CIFAR10AnyLayout, CIFAR100AnyLayout
from .digits import SklearnDigits
from .facescrub import FaceScrub
from .file_pipeline import file_pipeline
from .imagenet_subset import ImageNetSubset
from .in_memory import InMemoryImages
from .tiny_imagenet import TinyImageNet
from .unlabelled_images import UnlabelledImages

__all__ = [
    'CIFAR100AnyLayout',
    'CIFAR10AnyLayout',
    'FaceScrub',
    'ImageNetSubset',
    'InMemoryImages',
    'SklearnDigits',
    'TinyImageNet',
    'UnlabelledImages',
    'channel_order',
    'file_pipeline',
]

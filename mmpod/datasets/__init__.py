"""Datasets that mmpretrain lacks."""

from .cifar import CIFAR10AnyLayout, CIFAR100AnyLayout
from .digits import SklearnDigits
from .facescrub import FaceScrub

__all__ = ['CIFAR100AnyLayout', 'CIFAR10AnyLayout', 'FaceScrub', 'SklearnDigits']

"""Preprocessors, which turn a batch from the loader into the input of the network."""

from .crop_flip_preprocessor import CropFlipPreprocessor

__all__ = ['CropFlipPreprocessor']

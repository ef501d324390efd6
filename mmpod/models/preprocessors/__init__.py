"""Preprocessors, which turn a batch from the loader into the input of a network."""

from .crop_flip_preprocessor import CropFlipPreprocessor

__all__ = ['CropFlipPreprocessor']

"""Metrics."""

from .accuracy import CosineAccuracy, TopKAccuracy
from .feature_geometry import FeatureGeometry
from .feature_spectrum import FeatureSpectrum

__all__ = ['CosineAccuracy', 'FeatureGeometry', 'FeatureSpectrum', 'TopKAccuracy']

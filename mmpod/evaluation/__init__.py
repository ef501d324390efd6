"""Metrics."""

from .cosine_accuracy import CosineAccuracy
from .feature_geometry import FeatureGeometry
from .feature_spectrum import FeatureSpectrum
from .topk_accuracy import TopKAccuracy

__all__ = ['CosineAccuracy', 'FeatureGeometry', 'FeatureSpectrum', 'TopKAccuracy']

"""Estimators over features, fitted after training; NumPy arrays or tensors, no registry, no configuration."""

from .gaussian_discriminant_analysis import GaussianDiscriminantAnalysis

__all__ = ['GaussianDiscriminantAnalysis']

"""Estimators over features, fitted after training; NumPy arrays or tensors, no registry, no configuration."""

from .gda import GaussianDiscriminantAnalysis

__all__ = ['GaussianDiscriminantAnalysis']

"""Estimators that are fitted to features after training. They accept NumPy arrays or tensors and need no config."""

from .gda import GaussianDiscriminantAnalysis

__all__ = ['GaussianDiscriminantAnalysis']

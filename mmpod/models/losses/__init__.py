"""Losses of one signature: ``loss(features, labels, centroids)`` returns named terms that add up to the objective."""

from .pod_loss import PODLoss

__all__ = ['PODLoss']

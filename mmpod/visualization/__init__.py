"""Figures of features and centroids, and the style that all figures of mmpod share."""

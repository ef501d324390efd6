"""Classifiers that take two training steps per batch (COT), or predict with Gaussians instead of the head (GDA)."""

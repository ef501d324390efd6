"""Classifiers with two training steps per batch (COT), with Gaussians (GDA), or averaging over views of an image."""

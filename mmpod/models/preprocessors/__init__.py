"""Preprocessors, which turn a batch from the loader into the input of a network."""

"""Losses with one signature: ``loss(features, labels, prototypes)`` returns named terms that add up to the objective.

The exception is COT's complement entropy, which takes logits and accompanies a head's own loss.
Import a new one in `mmpod/models/__init__.py`: that registers it.
"""

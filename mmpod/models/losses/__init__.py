"""Losses with one signature: ``loss(features, labels, prototypes)`` returns named terms that add up to the objective.

The exception is COT's complement entropy, which takes logits and accompanies a head's own loss.
`mmpod.models` imports, and thereby registers, all of them.
"""

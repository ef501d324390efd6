"""Modules between a backbone and a head that expects one vector per image."""

from mmpod.models.necks.concat_features import ConcatFeatures

__all__ = ['ConcatFeatures']

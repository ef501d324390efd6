"""What stands between a backbone and a head that wants one vector an image."""

from mmpod.models.necks.concat_features import ConcatFeatures

__all__ = ['ConcatFeatures']

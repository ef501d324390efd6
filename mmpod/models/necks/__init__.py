"""What stands between a backbone and a head that wants one vector an image."""

from .join_features import JoinFeatures

__all__ = ['JoinFeatures']

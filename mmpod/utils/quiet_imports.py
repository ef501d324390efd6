"""Import MMEngine and MMCV without warnings that users cannot act on."""

import warnings

# Raised for every `mmpretrain::` base of every config, although `setuptools<81` already avoids the problem.
warnings.filterwarnings('ignore', 'pkg_resources is deprecated')

with warnings.catch_warnings():  # it suggests `mmcv` instead of `mmcv-lite`, which suffices
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')
    import mmcv.cnn.bricks.transformer  # noqa: F401

"""Imports of MMEngine and MMCV without warnings that their users cannot act on."""

import warnings

# Said for every `mmpretrain::` base of every config, on a matter that `setuptools<81` has settled.
warnings.filterwarnings('ignore', 'pkg_resources is deprecated')

with warnings.catch_warnings():  # it advises to install `mmcv` in place of `mmcv-lite`, which suffices
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')
    import mmcv.cnn.bricks.transformer  # noqa: F401

"""Samples as mmpretrain's loaders and batch augmentations make them."""

from mmpretrain.structures import DataSample


def samples_of(labels):
    """Return one sample per label, (N,) integers, or per row of soft labels (N, K)."""
    if getattr(labels, 'ndim', 1) == 2:
        return [DataSample().set_gt_score(row) for row in labels]
    return [DataSample().set_gt_label(int(label)) for label in labels]

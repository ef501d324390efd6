"""A fixed, balanced part of a dataset: the first samples of each class, or those after them."""

from typing import Optional, Sequence

from mmpod.utils.checks import check_integer

__all__ = ['check_class_subset', 'class_subset']


def check_class_subset(samples_per_class: Optional[int], skip_per_class: int) -> None:
    """Refuse arguments of :func:`class_subset` that no dataset could satisfy.

    Raises:
        ValueError: ``samples_per_class`` is not a positive integer, or ``skip_per_class`` is negative.
    """
    if samples_per_class is not None:
        check_integer('samples_per_class', samples_per_class, 1)
    check_integer('skip_per_class', skip_per_class, 0)


def class_subset(
    samples: list[dict], classes: Sequence[str], samples_per_class: Optional[int], skip_per_class: int
) -> list[dict]:
    """Return some samples of each class, in their order, the same in every run.

    Args:
        samples: One dict per sample, with ``gt_label`` from 0 to K - 1.
        classes: The names of the K classes.
        samples_per_class: Keep that many samples of each class. None keeps all.
        skip_per_class: Leave out that many samples of each class before these.

    Raises:
        ValueError: A class has fewer samples than requested.
    """
    if samples_per_class is None and skip_per_class == 0:
        return samples
    wanted = skip_per_class + (samples_per_class or 1)
    end = wanted if samples_per_class is not None else len(samples)
    count = [0] * len(classes)
    kept = []
    for sample in samples:
        if skip_per_class <= count[sample['gt_label']] < end:
            kept.append(sample)
        count[sample['gt_label']] += 1
    if min(count) < wanted:
        raise ValueError(
            f'Expected `skip_per_class` and `samples_per_class` to be together at most the {min(count)} samples of '
            f'class {classes[count.index(min(count))]!r}, but got {skip_per_class} and {samples_per_class}.'
        )
    return kept

"""A fixed subset of a dataset, with a number of samples per class and optional label noise."""

from dataclasses import dataclass
from typing import Optional, Sequence, Union

import numpy as np

from mmpod.utils.checks import check_integer, check_number

__all__ = ['ClassSubset']


@dataclass(frozen=True)
class ClassSubset:
    """The first samples of each class, the same in every run.

    Args:
        samples_per_class: Keep this many samples per class. A list of K numbers gives an imbalanced set. None keeps
            all.
        skip_per_class: Leave out this many samples per class before these.
        label_noise: Fraction of the kept samples, from 0 to 1, that get the label of another class, drawn uniformly
            (symmetric noise).
    """

    samples_per_class: Optional[Union[int, Sequence[int]]] = None
    skip_per_class: int = 0
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        several = isinstance(self.samples_per_class, (list, tuple))
        for number in self.samples_per_class if several else [self.samples_per_class]:
            if several or number is not None:
                check_integer('samples_per_class', number, 1)
        check_integer('skip_per_class', self.skip_per_class, 0)
        check_number('label_noise', self.label_noise, 0, 1)

    def of(self, samples: list[dict], classes: Sequence[str]) -> list[dict]:
        """Return this subset of a dataset.

        Args:
            samples: One dict per sample, with ``gt_label`` from 0 to K - 1.
            classes: The names of the K classes.

        Raises:
            ValueError: A class has fewer samples than requested, or a list does not have K numbers.
        """
        wanted = self.samples_per_class
        if isinstance(wanted, (list, tuple)) and len(wanted) != len(classes):
            raise ValueError(
                f'Expected a number for each of the {len(classes)} classes in `samples_per_class`, '
                f'but got {len(wanted)}.'
            )
        if wanted is not None or self.skip_per_class:
            samples = self._some(samples, classes)
        return self._with_wrong_labels(samples, len(classes)) if self.label_noise else samples

    def _some(self, samples: list[dict], classes: Sequence[str]) -> list[dict]:
        skip, wanted = self.skip_per_class, self.samples_per_class
        numbers = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted] * len(classes)
        seen = [0] * len(classes)
        kept = []
        for sample in samples:
            label = sample['gt_label']
            if seen[label] >= skip and (numbers[label] is None or seen[label] < skip + numbers[label]):
                kept.append(sample)
            seen[label] += 1
        for name, there, number in zip(classes, seen, numbers):
            if there < skip + (number or 1):
                raise ValueError(
                    f'Expected `skip_per_class` + `samples_per_class` to be at most {there}, the number of samples of '
                    f'class {name!r}, but got {skip} and {number}.'
                )
        return kept

    def _with_wrong_labels(self, samples: list[dict], num_classes: int) -> list[dict]:
        random = np.random.default_rng(0)
        chosen = random.choice(len(samples), round(self.label_noise * len(samples)), replace=False)
        steps = dict(zip(chosen.tolist(), random.integers(1, num_classes, len(chosen)).tolist()))
        return [
            dict(sample, gt_label=(sample['gt_label'] + steps.get(index, 0)) % num_classes)
            for index, sample in enumerate(samples)
        ]

"""Names, units and formats of metrics, and the final value of one."""

import statistics
from collections.abc import Mapping
from typing import Any, Optional

__all__ = ['METRIC', 'final_metric', 'number_format', 'unit']

METRIC = 'accuracy/top1'
PERCENTAGES = ('accuracy', 'cosine', 'gda', 'multi-label', 'single-label')


def unit(metric: str) -> str:
    """Return the unit to write after the name of a metric."""
    return ', %' if metric.partition('/')[0] in PERCENTAGES else ''


def number_format(metric: str) -> str:
    """Return the format of its values: two decimals for a percentage, four significant digits for anything else."""
    return '.2f' if unit(metric) else '.4g'


def final_metric(metrics: Mapping[str, Any], metric: str) -> Optional[float]:
    """Return one of the metrics of the last epoch, or None if it was not measured then.

    If the evaluation fits another classifier, it is that classifier's (``gda/top1`` for ``accuracy/top1``).
    ``metric[-3:]`` is the mean of the last three values of a metric with one value per class.

    Raises:
        ValueError: The metric has one value per class, and no part of them is asked for.

    Examples:
        >>> final_metric({'accuracy': 50.0, 'recall': [90.0, 20.0, 40.0]}, 'recall[-2:]')
        30.0
        >>> final_metric({'accuracy/top1': 50.0, 'gda/top1': 60.0}, 'accuracy/top1')
        60.0
    """
    name, _, first = metric.removesuffix(':]').partition('[')
    value = metrics.get(name.replace('accuracy/', 'gda/', 1), metrics.get(name))
    if not isinstance(value, list):
        return value
    if not first:
        raise ValueError(
            f'Expected `{metric}` to be a number, but it has {len(value)} values, one per class. Use a part of them, '
            f'such as {metric}[-3:], which is the mean of the last three.'
        )
    return statistics.mean(value[int(first) :])

"""Tables as Markdown."""

import statistics
from collections.abc import Sequence

import pandas as pd

__all__ = ['markdown_table', 'mean_and_spread']


def markdown_table(frame: pd.DataFrame) -> str:
    """Return a table whose cells are printed as they are; format numbers beforehand.

    Example:
        >>> print(markdown_table(pd.DataFrame({'run': ['pod'], 'accuracy': ['98.00']})))
        | run   | accuracy   |
        |-------|------------|
        | pod   | 98.00      |
    """
    return frame.to_markdown(index=False, tablefmt='github', disable_numparse=True)


def mean_and_spread(values: Sequence[float], form: str = '.2f') -> str:
    """Return the mean, and with several values ± their sample standard deviation.

    Example:
        >>> mean_and_spread([80.0, 83.0])
        '81.50 ± 2.12'
    """
    spread = f' ± {statistics.stdev(values):{form}}' if len(values) > 1 else ''
    return f'{statistics.mean(values):{form}}{spread}'

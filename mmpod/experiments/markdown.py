"""Tables as Markdown, and means with their spread as text."""

import math
import statistics
from collections.abc import Iterable
from typing import Optional

import pandas as pd

__all__ = ['markdown_table', 'mean_and_spread']


def markdown_table(frame: pd.DataFrame) -> str:
    """Return a Markdown table whose cells are printed as they are; format numbers beforehand.

    Example:
        >>> print(markdown_table(pd.DataFrame({'run': ['pod'], 'accuracy': ['98.00']})))
        | run   | accuracy   |
        |-------|------------|
        | pod   | 98.00      |
    """
    return frame.to_markdown(index=False, tablefmt='github', disable_numparse=True)


def mean_and_spread(values: Iterable[Optional[float]], form: str = '.2f') -> str:
    """Return the mean, with ± sample standard deviation if there are several values, or ``-`` if any is missing.

    Example:
        >>> mean_and_spread([80.0, 83.0])
        '81.50 ± 2.12'
    """
    numbers = [math.nan if value is None else float(value) for value in values]
    if not numbers or any(map(math.isnan, numbers)):
        return '-'
    spread = f' ± {statistics.stdev(numbers):{form}}' if len(numbers) > 1 else ''
    return f'{statistics.mean(numbers):{form}}{spread}'

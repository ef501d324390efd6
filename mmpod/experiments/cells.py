"""What a table and a figure of experiments are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from mmpod.experiments.run import METRIC

__all__ = ['BOTH_READINGS', 'Cell', 'Figure', 'Table', 'reading', 'rows']

# What Table IV may mean.
BOTH_READINGS = ('spectrum/eigenvalue_variance_e8', 'spectrum/energy_variance_e8')


@dataclass(frozen=True)
class Cell:
    """One number of a table, and where it comes from.

    Attributes:
        row, column: As the paper prints them.
        config: Name of the leaf in `configs/`.
        paper: The paper's number; None where the table is mmpod's own.
        metrics: Names in the final metrics; several where the paper leaves open which one it means.
        setting: Key of the config that holds the number instead, where it is none that training gives.
    """

    row: str
    column: str
    config: str
    paper: Optional[float] = None
    metrics: Sequence[str] = (METRIC,)
    setting: Optional[str] = None


def rows(column: str, configs: dict[str, tuple[str, Optional[float]]], **kwargs) -> list[Cell]:
    """Return the cells of one column: by row the config and the paper's number."""
    return [Cell(row, column, config, paper, **kwargs) for row, (config, paper) in configs.items()]


@dataclass(frozen=True)
class Table:
    """Cells under a title.

    Attributes:
        title: What it shows.
        cells: Its numbers.
        varied: What its rows vary.
    """

    title: str
    cells: Sequence[Cell]
    varied: str = 'loss'

    @property
    def configs(self) -> list[str]:
        """The configs to run, each once."""
        return list(dict.fromkeys(cell.config for cell in self.cells if cell.setting is None))


@dataclass(frozen=True)
class Figure:
    """A picture: ``'derivative'`` of 1 - cos to a power, ``'curves'`` of accuracy by epoch of ``configs``, the
    ``'sweep'`` of a table's rows, or the ``'gram'`` matrix of centroids.

    Attributes:
        title: What it shows.
        kind: One of the above.
        configs: Whose runs it shows.
        power: Exponent, for a derivative.
        table: Name of the table, for a sweep.
    """

    title: str
    kind: str
    configs: Sequence[str] = ()
    power: int = 0
    table: str = ''


def reading(metric: str) -> str:
    """Return how a table calls a metric: its last part, in words."""
    return metric.rpartition('/')[2].replace('_', ' ')

"""The data classes of studies, tables and figures, and the datasets in the names of configs."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional, Union

from mmpod.experiments.metrics import METRIC
from mmpod.experiments.sweep import expand
from mmpod.utils.paths import CONFIGS

__all__ = ['CHECKPOINT_OF', 'DATASETS', 'Base', 'Cell', 'Figure', 'Setting', 'Study', 'Table']

# The paper's, by their key in the names of configs.
DATASETS = {
    'cifar10': 'CIFAR-10',
    'cifar100': 'CIFAR-100',
    'facescrub': 'FaceScrub',
    'tinyimagenet': 'Tiny ImageNet',
    **{f'imagenet{k}': f'ImageNet({k})' for k in (30, 100, 200, 500)},
    'imagenet': 'ImageNet(1000)',
}

# Configs that only evaluate the last checkpoint of another config with the same seed.
CHECKPOINT_OF = {path.stem: path.stem.replace('gda_', 'pod_') for path in CONFIGS.rglob('gda_*.py')}


@dataclass(frozen=True)
class Setting:
    """A config with overrides: what runs that differ only in their seed have in common."""

    study: str  # name of the study
    name: str  # within the study; usable as a folder name
    base: str  # key of its `Base` in the study
    point: str  # point of the grid, such as `lr=0.1,loss_weight=5`; empty without a grid
    config: str  # without `.py`, relative to `configs/`; empty if it was never shipped
    overrides: tuple[str, ...] = ()  # `key=value`
    source: str = ''  # the setting, `study/name`, whose checkpoint it evaluates; empty if it trains

    @property
    def key(self) -> str:
        """The unique name among the settings of all studies."""
        return f'{self.study}/{self.name}'

    @property
    def path(self) -> Path:
        """The file of the config."""
        return CONFIGS / f'{self.config}.py'


class Base(NamedTuple):
    """A config and the overrides of a study: each combination of the values of one or several grids."""

    config: str  # without `.py`, relative to `configs/`
    overrides: Sequence[str] = ()  # `key=value`
    grid: Union[Mapping[str, Sequence], Sequence[Mapping[str, Sequence]]] = {}  # values by key of the config
    source: str = ''  # the setting, `study/name`, whose checkpoint is evaluated


@dataclass(frozen=True)
class Study:
    """Runs that answer one question: configs, each with a grid of overrides, all with the same seeds."""

    name: str  # also of its file in `results/` and its folder of runs
    title: str  # what it measures
    bases: Mapping[str, Base]  # by short name
    options: Sequence[str] = ()  # overrides of all bases
    seeds: Sequence[int] = (0, 1, 2)

    @functools.cached_property
    def settings(self) -> dict[str, Setting]:
        """All settings by name, which joins the name of the base and the point of its grid."""
        found = {}
        for key, base in self.bases.items():
            grids = [base.grid] if isinstance(base.grid, Mapping) else base.grid
            for trial in (trial for grid in grids for trial in expand(grid)):
                name = ','.join(filter(None, (key, trial.name)))
                overrides = (*self.options, *base.overrides, *trial.overrides)
                found[name] = Setting(self.name, name, key, trial.name, base.config, overrides, base.source)
        return found


@dataclass(frozen=True)
class Cell:
    """A number in a table and its source."""

    row: str
    column: str
    runs: str  # the setting, `study/name`, whose runs measure it
    paper: Optional[float] = None  # the paper's number; None in mmpod's own tables
    metrics: Sequence[str] = (METRIC,)  # final metrics; several if the paper does not say which one it means


@dataclass(frozen=True)
class Table:
    """A table: its cells and how to show them."""

    title: str
    cells: Sequence[Cell]
    varied: str = 'loss'  # what the rows vary
    pivot: bool = False  # one number per row and column, instead of several numbers per row
    lower_is_better: bool = False  # decides which number of a pivot is bold


@dataclass(frozen=True)
class Figure:
    """A figure.

    Kinds: accuracy (``'curves'``) or geometry (``'geometry'``) by epoch, accuracy by the value of a setting
    (``'sweep'``), or the ``'differences'`` of the columns of tables from their first column.
    """

    title: str
    kind: str
    cells: Sequence[Cell]  # cells whose runs it shows
    varied: str = ''  # what a sweep varies
    tables: Sequence[str] = ()  # names of the tables whose differences it shows

"""What a study, a table and a figure are, and the datasets that the names of configs stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional, Union

from mmpod.experiments.run import METRIC
from mmpod.experiments.sweep import expand
from mmpod.utils.paths import CONFIGS

__all__ = ['CHECKPOINT_OF', 'DATASETS', 'Base', 'Cell', 'Figure', 'Setting', 'Study', 'Table', 'dataset_of']

# By the key in the configs' names; those of the paper first, as it prints them.
DATASETS = {
    'cifar10': 'CIFAR-10',
    'cifar100': 'CIFAR-100',
    'facescrub': 'FaceScrub',
    'tinyimagenet': 'Tiny ImageNet',
    **{f'imagenet{k}': f'ImageNet({k})' for k in (30, 100, 200, 500)},
    'imagenet': 'ImageNet(1000)',
    'cifar10_10k': 'CIFAR-10, 10,000 images',
    'tiny20': 'Tiny ImageNet, 20 classes',
    'digits': 'Digits',
}

# Evaluations, by the names of their configs: they read the last checkpoint of another run of the same seed.
CHECKPOINT_OF = {path.stem: path.stem.replace('gda_', 'pod_') for path in CONFIGS.rglob('gda_*.py')}


def dataset_of(config: str) -> str:
    """Return the name of the dataset of a config, ``<loss>[_<backbone>]_<dataset>[_<variant>]``.

    Example:
        >>> dataset_of('small/pod_cifar10_10k_vicreg')
        'CIFAR-10, 10,000 images'
    """
    return DATASETS[max((key for key in DATASETS if f'_{key}_' in f'{config}_'), key=len)]


@dataclass(frozen=True)
class Setting:
    """What runs that differ only in their seed have in common."""

    study: str  # name of the study
    name: str  # its name in the study, fit for a folder
    base: str  # key of its `Base` in the study
    point: str  # of the grid, such as `lr=0.1,loss_weight=5`; empty without a grid
    config: str  # without `.py`, relative to `configs/`; empty where it was never shipped
    overrides: tuple[str, ...] = ()  # `key=value`
    source: str = ''  # the setting, `study/name`, whose checkpoint it evaluates; empty where it trains

    @property
    def key(self) -> str:
        """Its name among the settings of all studies."""
        return f'{self.study}/{self.name}'

    @property
    def path(self) -> Path:
        """The config's file."""
        return CONFIGS / f'{self.config}.py'


class Base(NamedTuple):
    """A config with what a study changes of it: each combination of the grid's values, or of several grids'."""

    config: str  # without `.py`, relative to `configs/`
    overrides: Sequence[str] = ()  # `key=value`
    grid: Union[Mapping[str, Sequence], Sequence[Mapping[str, Sequence]]] = {}  # values by key of the config
    source: str = ''  # the setting, `study/name`, whose checkpoint is evaluated


@dataclass(frozen=True)
class Study:
    """Runs that answer one question: some configs, each with a grid of overrides, all with the same seeds."""

    name: str  # of its file in `results/` and of its folder of runs
    title: str  # what it measures
    bases: Mapping[str, Base]  # by a short name
    options: Sequence[str] = ()  # overrides of all bases
    seeds: Sequence[int] = (0, 1, 2)

    @property
    def settings(self) -> dict[str, Setting]:
        """All settings by name: the base's name and the point of its grid."""
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
    """A number of a table, and where it comes from."""

    row: str
    column: str
    runs: str  # the setting, `study/name`, whose runs measure it
    paper: Optional[float] = None  # the paper's number; None where the table is mmpod's own
    metrics: Sequence[str] = (METRIC,)  # final metrics; several where the paper leaves open which one it means
    key: Optional[str] = None  # of the config that holds the number instead, where it is not measured


@dataclass(frozen=True)
class Table:
    """Cells under a title."""

    title: str
    cells: Sequence[Cell]
    varied: str = 'loss'  # what the rows vary
    pivot: bool = False  # rows by columns of one number each, instead of several numbers per row
    epochs: Sequence[int] = ()  # show the accuracy after these epochs, instead of after the last
    marked: bool = True  # mark runs of another revision than most


@dataclass(frozen=True)
class Figure:
    """A picture of runs: their accuracy (``'curves'``) or geometry (``'geometry'``) by epoch, or their accuracy by the
    value of a setting (``'sweep'``). Without runs: a ``'derivative'`` of 1 - cos to a power, or a ``'gram'`` matrix.
    """

    title: str
    kind: str
    cells: Sequence[Cell] = ()  # whose runs it shows
    varied: str = ''  # what a sweep varies
    power: int = 0  # exponent of a derivative

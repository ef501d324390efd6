"""What an experiment, a table and a figure are, and the datasets that the configs' names mean."""

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
    """What some runs that differ in their seed alone have in common.

    Attributes:
        study: Name of the study.
        name: Its name there, fit for a folder.
        base: The key of its :class:`Base`.
        point: The point of the grid, such as ``lr=0.1,loss_weight=5``; empty without a grid.
        config: The config, without ``.py``, relative to `configs/`; empty where it was never shipped.
        overrides: What it changes of the config, ``key=value``.
        source: The setting, ``study/name``, whose checkpoint it evaluates; empty where it trains.
    """

    study: str
    name: str
    base: str
    point: str
    config: str
    overrides: tuple[str, ...] = ()
    source: str = ''

    @property
    def key(self) -> str:
        """Its name among the settings of all studies."""
        return f'{self.study}/{self.name}'

    @property
    def path(self) -> Path:
        """The config's file."""
        return CONFIGS / f'{self.config}.py'


class Base(NamedTuple):
    """A config with what a study changes of it.

    Attributes:
        config: Without ``.py``, relative to `configs/`.
        overrides: ``key=value``.
        grid: Values by key of the config, of which every combination is one setting; or several such grids.
        source: The setting, ``study/name``, whose checkpoint is evaluated.
    """

    config: str
    overrides: Sequence[str] = ()
    grid: Union[Mapping[str, Sequence], Sequence[Mapping[str, Sequence]]] = {}
    source: str = ''


@dataclass(frozen=True)
class Study:
    """Runs that answer one question: some configs, each with a grid of overrides, each with the same seeds.

    Attributes:
        name: Name of its file in `results/` and of its folder of runs.
        title: What it measures.
        bases: Its configs, by a short name.
        options: Overrides for all of them.
        seeds: Seeds of each setting.
    """

    name: str
    title: str
    bases: Mapping[str, Base]
    options: Sequence[str] = ()
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
    """One number of a table, and where it comes from.

    Attributes:
        row, column: As they are printed.
        runs: The setting, ``study/name``, whose runs measure it.
        paper: The paper's number; None where the table is mmpod's own.
        metrics: Names in the final metrics; several where the paper leaves open which one it means.
        key: Key of the config that holds the number instead, where it is not measured.
    """

    row: str
    column: str
    runs: str
    paper: Optional[float] = None
    metrics: Sequence[str] = (METRIC,)
    key: Optional[str] = None


@dataclass(frozen=True)
class Table:
    """Cells under a title.

    Attributes:
        title: What it shows.
        cells: Its numbers.
        varied: What its rows vary.
        pivot: Rows by columns of one number each, instead of several numbers for each row.
        epochs: The accuracy after these epochs, instead of after the last.
    """

    title: str
    cells: Sequence[Cell]
    varied: str = 'loss'
    pivot: bool = False
    epochs: Sequence[int] = ()


@dataclass(frozen=True)
class Figure:
    """A picture.

    Attributes:
        title: What it shows.
        kind: ``'derivative'`` of 1 - cos to a power, ``'curves'`` of accuracy by epoch, the ``'sweep'`` of a setting,
            or the ``'gram'`` matrix of centroids.
        cells: Whose runs it shows.
        varied: What a sweep varies.
        power: Exponent of a derivative.
    """

    title: str
    kind: str
    cells: Sequence[Cell] = ()
    varied: str = ''
    power: int = 0

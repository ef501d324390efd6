"""Tables in documents that a command rewrites from the logs, so that text and measurement cannot drift apart."""

import functools
import re
import statistics
from collections.abc import Sequence
from pathlib import Path

from mmpod.experiments.catalogue import TABLES
from mmpod.experiments.cells import Cell, reading
from mmpod.experiments.comparison import epochs_to_reach
from mmpod.experiments.run import METRIC, Run
from mmpod.experiments.tables import mean_and_spread

__all__ = ['refresh', 'result_table']

# What stands between the first line of a block and its last, which no other block begins in.
OLD = r'(?:(?!<!-- table ).)*?'
BLOCK = re.compile(
    rf'(<!-- table (\S+)(?: after epochs ([\d ]+))? from (\S+) -->\n){OLD}(<!-- end of table -->)', re.DOTALL
)
# What compare.py, tune.py and benchmarks/gda_shrinkage.py have written beside their runs.
WRITTEN = re.compile(rf'(<!-- table (\S+\.md) -->\n){OLD}(<!-- end of table -->)', re.DOTALL)
ANY_BLOCK = re.compile(r'^<!-- table .*', re.MULTILINE)
SHARE = 0.9
ACCURACY = ('last epoch, %', 'best epoch, %', f'epochs to {100 * SHARE:g} % of the last')


def runs_of(folder: Path, config: str, metrics: Sequence[str]) -> list[Run]:
    """Return the finished runs of a config in a folder that have these metrics, by seed."""
    names = (path.name for path in (folder / config).glob('seed*'))
    seeds = sorted(int(name[4:]) for name in names if name[4:].isdecimal())
    runs = [Run(config, seed, folder / config / f'seed{seed}') for seed in seeds]
    return [run for run in runs if run.record.get('finished') and {*metrics} <= {*run.metrics()}]


def _accuracy(cell: Cell, runs: Sequence[Run]) -> list[str]:
    metric = cell.metrics[0]
    last = mean_and_spread([run.metrics()[metric] for run in runs])
    best = reached = '-'
    curves = [run.accuracies() for run in runs]
    if metric == METRIC and all(curves):
        best = mean_and_spread([max(curve.values()) for curve in curves])
        epochs = [epochs_to_reach(curve, SHARE * list(curve.values())[-1]) for curve in curves]
        reached = f'{statistics.mean(epochs):.1f}'
    return [last, best, reached]


def _several(cell: Cell, runs: Sequence[Run]) -> list[str]:
    values = [[run.metrics()[metric] for run in runs] for metric in cell.metrics]
    return [mean_and_spread(numbers, '.2f' if max(numbers) < 1000 else '.0f') for numbers in values]


def _after(epochs: Sequence[int], cell: Cell, runs: Sequence[Run]) -> list[str]:
    curves = [run.curve(cell.metrics[0]) for run in runs]
    for run, curve in zip(runs, curves):
        if missing := {*epochs} - {*curve}:
            raise ValueError(
                f'Expected {run.name}, seed {run.seed}, to have been validated after epochs {list(epochs)}, but it was '
                f'not after {sorted(missing)}. Name epochs of its log: {", ".join(map(str, curve)) or "it has none"}.'
            )
    return [mean_and_spread([curve[epoch] for curve in curves]) for epoch in epochs]


def result_table(table: str, folder: Path, epochs: Sequence[int] = ()) -> str:
    """Return what the runs in a folder say of a table: Markdown, one row a cell that has finished runs.

    Accuracy (%) on the test set after the last epoch and of the best one, mean ± sample standard deviation over the
    seeds, and how fast it came: the first epoch with 90 % of what the run ended with, mean over the seeds. Where cells
    have several metrics, these instead; with ``epochs``, the accuracy after each of them.

    Args:
        table: Name in :data:`~mmpod.experiments.catalogue.TABLES`.
        folder: Where the runs are, ``<config>/seed<n>/``.
        epochs: Epochs, from 1, of the columns, in their order.

    Raises:
        ValueError: A run was not validated after one of ``epochs``.
    """
    cells = [cell for cell in TABLES[table].cells if cell.setting is None]
    metrics = max((cell.metrics for cell in cells), key=len)
    if epochs:
        columns, values = [f'epoch {epoch}, %' for epoch in epochs], functools.partial(_after, epochs)
    else:
        columns, values = (ACCURACY, _accuracy) if len(metrics) == 1 else (map(reading, metrics), _several)
    with_runs = [(cell, runs) for cell in cells if (runs := runs_of(folder, cell.config, cell.metrics))]
    several = len({cell.column for cell, _ in with_runs}) > 1
    lines = [[TABLES[table].varied, *columns, 'seeds']]
    lines.append(['---'] * len(lines[0]))
    for cell, runs in with_runs:
        label = f'{cell.row}, {cell.column}' if several else cell.row
        lines.append([label, *values(cell, runs), ', '.join(str(run.seed) for run in runs)])
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines).replace('| --- ', '|---').replace('--- |', '---|')


def refresh(path: Path) -> bool:
    """Rewrite the tables of a Markdown file: what stands between these lines, the folder relative to the repository.

        <!-- table small from results/cifar10_10k -->
        <!-- end of table -->
        <!-- table small after epochs 3 9 15 from results/cifar10_10k -->
        <!-- end of table -->
        <!-- table results/digits/table.md -->
        <!-- end of table -->

    The last is a table that a tool has written beside its runs, as it is.

    Args:
        path: The file, in the repository or its `docs/`.

    Returns:
        bool: Whether it changed.

    Raises:
        FileNotFoundError: A block names a file that is not there.
        ValueError: A block names no table of measurements, a folder that is not there, or epochs that were not
            validated, or is not written as above, or has no end.
    """
    root = path.resolve().parent
    root = root.parent if root.name == 'docs' else root

    def replace(match: re.Match) -> str:
        start, table, epochs, folder, end = match.groups()
        measured = [name for name, table in TABLES.items() if table.configs]
        if table not in measured or not (root / folder).is_dir():
            raise ValueError(
                f'Expected `{match.group(1).strip()}` in {path} to name a table ({", ".join(measured)}) and a folder '
                f'in {root}.'
            )
        columns = [int(epoch) for epoch in (epochs or '').split()]
        return f'{start}{result_table(table, root / folder, columns)}{end}'

    def include(match: re.Match) -> str:
        start, file, end = match.groups()
        return f'{start}{(root / file).read_text(encoding="utf-8")}{end}'

    old = path.read_text(encoding='utf-8')
    known = [match.group(1).strip() for pattern in (BLOCK, WRITTEN) for match in pattern.finditer(old)]
    for line in ANY_BLOCK.findall(old):
        if line not in known:
            raise ValueError(
                f'Expected `{line}` in {path} to be `<!-- table NAME [after epochs 3 9] from FOLDER -->` or '
                '`<!-- table FILE.md -->`, with its own `<!-- end of table -->`.'
            )
        known.remove(line)
    new = WRITTEN.sub(include, BLOCK.sub(replace, old))
    if new != old:
        path.write_text(new, encoding='utf-8')
    return new != old

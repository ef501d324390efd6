"""Paper against measurement: tables (Markdown, CSV) and figures from the runs in a folder."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from mmengine.config import Config

from mmpod.experiments.catalogue import FIGURES, TABLES, heading
from mmpod.experiments.cells import Cell, reading
from mmpod.experiments.figures import plot_accuracy, plot_derivative, plot_sweep
from mmpod.experiments.run import METRIC, Run
from mmpod.experiments.selection import Selection
from mmpod.experiments.tables import mean_and_spread
from mmpod.functional import pedcc
from mmpod.visualization.geometry import plot_gram

__all__ = ['Result', 'markdown', 'results', 'write_csv', 'write_report']

HEADER = '| row | column | paper | measured, last epoch | difference | best epoch | seeds | config |'


@dataclass(frozen=True)
class Result:
    """What the runs in a folder say of a cell.

    Attributes:
        cell: The cell.
        metric: Which of its metrics.
        seeds: Seeds of the finished runs.
        values: The metric after the last epoch, one a seed.
        best: The best accuracy of any epoch, one a seed; empty where the metric has no curve.
        missing: Seeds that were asked for and are not finished.
        overrides: Options of the config, ``key=value``, with which any of the runs departed from it.
    """

    cell: Cell
    metric: str
    seeds: Sequence[int] = ()
    values: Sequence[float] = ()
    best: Sequence[float] = ()
    missing: Sequence[int] = ()
    overrides: Sequence[str] = ()

    @property
    def form(self) -> str:
        """What is measured with two digits, settings plain."""
        return 'g' if self.cell.setting is not None else '.2f'

    @property
    def difference(self) -> Optional[float]:
        """Measured mean minus paper."""
        if not self.values or self.cell.paper is None:
            return None
        return sum(self.values) / len(self.values) - self.cell.paper


def results(
    cells: Sequence[Cell], run_of: Callable[[str, int], Run], seeds: Sequence[int], configs: Path
) -> list[Result]:
    """Return one result for each metric of each cell.

    Args:
        cells: The cells.
        run_of: From the name of a config and a seed to the run.
        seeds: Seeds to look for.
        configs: Folder of the leaves, for the numbers that are settings.
    """
    rows = []
    for cell in cells:
        if cell.setting is not None:
            value = Config.fromfile(configs / f'{cell.config}.py')
            for key in cell.setting.split('.'):
                value = value[key]
            rows.append(Result(cell, cell.setting, values=[value]))
            continue
        runs = [run_of(cell.config, seed) for seed in seeds]
        done = [run for run in runs if run.state == 'done']
        for metric in cell.metrics:
            having = [run for run in done if metric in run.metrics()]
            curves = [run.accuracies() for run in having] if metric == METRIC else []
            rows.append(
                Result(
                    cell,
                    metric,
                    seeds=[run.seed for run in having],
                    values=[run.metrics()[metric] for run in having],
                    best=[max(curve.values()) for curve in curves if curve],
                    missing=[run.seed for run in runs if run not in having],
                    overrides=sorted({option for run in having for option in run.record.get('options', [])}),
                )
            )
    return rows


def markdown(table: str, rows: Sequence[Result]) -> str:
    """Return the table with its title; below it, what the runs changed of their configs."""
    lines = [f'### {heading(table)}', '', HEADER, '|' + '---|' * HEADER.count(' | ') + '---|']
    notes = []
    for result in rows:
        cell, form = result.cell, result.form
        column = cell.column if len(cell.metrics) < 2 else f'{cell.column} ({reading(result.metric)})'
        seeds = ', '.join(map(str, result.seeds)) or '-'
        mark = ''
        if result.overrides:
            note = ' '.join(result.overrides)
            notes += [note] if note not in notes else []
            mark = f' [{notes.index(note) + 1}]'
        values = [
            cell.row,
            column,
            '-' if cell.paper is None else format(cell.paper, form),
            mean_and_spread(result.values, form) + mark if result.values else '-',
            '-' if result.difference is None or cell.setting is not None else format(result.difference, f'+{form}'),
            mean_and_spread(result.best, form) if result.best else '-',
            seeds + (f' (missing: {", ".join(map(str, result.missing))})' if result.seeds and result.missing else ''),
            f'`{cell.config}`',
        ]
        lines.append('| ' + ' | '.join(values) + ' |')
    lines += [f'\n[{number}] {note}' for number, note in enumerate(notes, 1)]
    return '\n'.join(lines) + '\n'


def write_csv(tables: dict[str, Sequence[Result]], path: Path) -> None:
    """Write all results, one row a metric of a cell; the values of the seeds are separated by semicolons."""
    with path.open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(
            ['table', 'row', 'column', 'metric', 'config', 'paper', 'seeds', 'last_epoch', 'best_epoch', 'options']
        )
        for table, rows in tables.items():
            for result in rows:
                cell = result.cell
                lists = (result.seeds, result.values, result.best)
                writer.writerow(
                    [
                        table,
                        cell.row,
                        cell.column,
                        result.metric,
                        cell.config,
                        '' if cell.paper is None else cell.paper,
                        *(';'.join(map(str, values)) for values in lists),
                        ' '.join(result.overrides),
                    ]
                )


def write_report(
    out: Path, selection: Selection, run_of: Callable[[str, int], Run], seeds: Sequence[int], configs: Path
) -> tuple[str, list[Path]]:
    """Write `tables.md`, `tables.csv` and the figures for which there are finished runs.

    Returns:
        tuple[str, list[Path]]: The text of the tables, and what was written.
    """
    out.mkdir(parents=True, exist_ok=True)
    tables = {name: results(cells, run_of, seeds, configs) for name, cells in selection.cells.items()}
    text = '\n'.join(markdown(name, rows) for name, rows in tables.items())
    (out / 'tables.md').write_text(text)
    write_csv(tables, out / 'tables.csv')
    drawn = [out / f'{name}.png' for name in selection.figures if _draw(name, out, run_of, seeds, configs)]
    return text, [out / 'tables.md', out / 'tables.csv', *drawn]


def _draw(name: str, out: Path, run_of: Callable, seeds: Sequence[int], configs: Path) -> bool:
    figure, path = FIGURES[name], out / f'{name}.png'
    if figure.kind == 'derivative':
        plot_derivative(figure.power, path)
    elif figure.kind == 'gram':
        head = Config.fromfile(configs / f'{figure.configs[0]}.py').model.head
        plot_gram(pedcc(head.num_classes, head.feat_dim), path)
    elif figure.kind == 'curves':
        runs = [run_of(config, seed) for config in figure.configs for seed in seeds]
        runs = [run for run in runs if run.state == 'done' and run.accuracies()]
        if not runs:
            return False
        plot_accuracy(runs, path)
    else:
        rows = results(TABLES[figure.table].cells, run_of, seeds, configs)
        if not any(row.values for row in rows):
            return False
        plot_sweep([(row.cell.row, row.values, row.cell.paper) for row in rows], TABLES[figure.table].varied, path)
    return True

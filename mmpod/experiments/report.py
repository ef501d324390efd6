"""Tables (Markdown) and figures from recorded runs."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mmpod.experiments.comparison import summary_row
from mmpod.experiments.figures import plot_accuracy, plot_differences, plot_geometry, plot_sweep
from mmpod.experiments.markdown import markdown_table, mean_and_spread
from mmpod.experiments.metrics import METRIC
from mmpod.experiments.records import Record
from mmpod.experiments.studies.catalogue import setting_of
from mmpod.experiments.studies.definitions import Cell, Table
from mmpod.experiments.studies.paper import PAPER_TABLES
from mmpod.experiments.studies.tables import FIGURES, TABLES

__all__ = ['frame', 'heading', 'write_report']

Records = Mapping[str, Sequence[Record]]  # by setting, study/name


def heading(name: str) -> str:
    """Return the title of a table, with its number if it is one of the paper's."""
    return f'Table {name}: {TABLES[name].title}' if name in PAPER_TABLES else TABLES[name].title


def measured(records: Sequence[Record], metric: str) -> list[float]:
    """Return the values of a final metric, one per run that has it."""
    return [value for record in records if (value := record.final(metric)) is not None]


def text(values: Sequence[float]) -> str:
    """Return mean and spread with two decimals, or none if the numbers are large; ``-`` without values."""
    large = any(value >= 1000 for value in values)
    return mean_and_spread(values, '.0f' if large else '.2f')


def row_of(cell: Cell, records: Sequence[Record]) -> dict[str, str]:
    """Return the numbers of a cell by column name."""
    if len(cell.metrics) == 1:
        return summary_row(records, cell.metrics[0])
    return {metric.rpartition('/')[2]: text(measured(records, metric)) for metric in cell.metrics}


def paper_rows(cell: Cell, records: Sequence[Record], seeds: str) -> list[dict[str, str]]:
    """Return the numbers of a cell next to the paper's, one row per metric."""
    assert cell.paper is not None
    config, rows = setting_of(cell.runs).config, []
    for metric in cell.metrics:
        values = measured(records, metric)
        several = f' ({metric.rpartition("/")[2]})' if len(cell.metrics) > 1 else ''
        rows.append(
            {
                'row': cell.row,
                'column': f'{cell.column}{several}',
                'paper': f'{cell.paper:.2f}',
                'measured': mean_and_spread(values),
                'difference': f'{statistics.mean(values) - cell.paper:+.2f}' if values else '-',
                'best epoch': mean_and_spread([max(run.curve(metric).values(), default=None) for run in records]),
                'seeds': seeds,
                'config': f'`{config}`',
            }
        )
    return rows


def frame(table: Table, records: Records) -> pd.DataFrame:
    """Return a table with one row per cell: those with runs, or all if the paper has numbers for them."""

    def seeds(cell: Cell, runs: Sequence[Record]) -> str:
        return ', '.join(f'{run.seed}{mark(cell, [run])}' for run in runs) or '-'

    if any(cell.paper is not None for cell in table.cells):
        cells = [(cell, records.get(cell.runs, ())) for cell in table.cells]
        return pd.DataFrame(row for cell, runs in cells for row in paper_rows(cell, runs, seeds(cell, runs)))
    having = [(cell, runs) for cell in table.cells if (runs := records.get(cell.runs))]
    if table.pivot:
        return pivot(table, having)
    columns = len({cell.column for cell in table.cells}) > 1
    return pd.DataFrame(
        {
            table.varied: f'{cell.row}, {cell.column}' if columns else cell.row,
            **row_of(cell, runs),
            'seeds': seeds(cell, runs),
        }
        for cell, runs in having
    )


def pivot(table: Table, having: Sequence[tuple[Cell, Sequence[Record]]]) -> pd.DataFrame:
    """Return a table of rows by columns, with the best value of each row in bold."""
    cells: dict[str, dict[str, str]] = {}
    values = {cell: measured(runs, cell.metrics[0]) for cell, runs in having}
    means = {cell: statistics.mean(found) for cell, found in values.items() if found}
    best_of = min if table.lower_is_better else max
    for cell, runs in having:
        best = best_of((mean for other, mean in means.items() if other.row == cell.row), default=None)
        number = f'**{text(values[cell])}**' if cell in means and means[cell] == best else text(values[cell])
        cells.setdefault(cell.row, {})[cell.column] = number + mark(cell, runs)
    return pd.DataFrame({table.varied: row, **by_column} for row, by_column in cells.items()).fillna('-')


def beyond(cell: Cell, runs: Sequence[Record]) -> list[str]:
    """Return the overrides of runs beyond those of their study."""
    of_study = setting_of(cell.runs).overrides
    return [option for run in runs for option in run.overrides if option not in of_study]


def mark(cell: Cell, runs: Sequence[Record]) -> str:
    """Return the mark of runs with overrides beyond those of their study."""
    return ' *' if beyond(cell, runs) else ''


def draw(path: Path, records: Records) -> bool:
    """Draw the figure that a file is named after, and return whether there was anything to draw."""
    figure = FIGURES[path.stem]
    runs = [(cell.row, record) for cell in figure.cells for record in records.get(cell.runs, ())]
    if not runs:
        return False
    if figure.kind == 'curves':
        plot_accuracy(runs, path, title=figure.title)
    elif figure.kind == 'geometry':
        plot_geometry(runs, path, figure.title)
    elif figure.kind == 'differences':
        return plot_differences({TABLES[name].title: by_seed(TABLES[name], records) for name in figure.tables}, path)
    else:
        paper = {cell.row: cell.paper for cell in figure.cells if cell.paper is not None}
        values = {cell.row: measured(records.get(cell.runs, ()), METRIC) for cell in figure.cells}
        plot_sweep(values, paper, figure.varied, path, figure.title)
    return True


def by_seed(table: Table, records: Records) -> pd.DataFrame:
    """Return the numbers of a table by ``row``, ``column`` and ``seed``, each a ``value``."""
    rows = [
        (cell.row, cell.column, record.seed, value)
        for cell in table.cells
        for record in records.get(cell.runs, ())
        if (value := record.final(cell.metrics[0])) is not None
    ]
    return pd.DataFrame(rows, columns=['row', 'column', 'seed', 'value'])


def write_table(path: Path, records: Records) -> bool:
    """Write the table that a file is named after, with its notes, and return whether there was anything to write."""
    table = TABLES[path.stem]
    found = frame(table, records)
    if found.empty:
        return False
    more = dict.fromkeys(option for cell in table.cells for option in beyond(cell, records.get(cell.runs, ())))
    notes = [f'*: with overrides beyond those of the study: `{" ".join(more)}`.'] if more else []
    path.write_text('\n\n'.join([markdown_table(found), *notes]) + '\n', encoding='utf-8')
    return True


def write_report(out: Path, records: Records, names: Sequence[str]) -> list[Path]:
    """Write the tables and figures of these names that have runs as Markdown files and pictures.

    Returns:
        list[Path]: The files written to the folder ``out``.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f'{name}.{"png" if name in FIGURES else "md"}' for name in names]
    return [path for path in paths if (draw if path.stem in FIGURES else write_table)(path, records)]

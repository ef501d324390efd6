"""Tables (Markdown, CSV) and figures from recorded runs."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from mmengine.config import Config

from mmpod.experiments.catalogue import Cell, Table
from mmpod.experiments.comparison import epochs_to_reach, mean_and_spread
from mmpod.experiments.figures import plot_curves, plot_derivative, plot_sweep
from mmpod.experiments.paper import PAPER_TABLES
from mmpod.experiments.records import Record
from mmpod.experiments.run import METRIC
from mmpod.experiments.studies import setting_of
from mmpod.experiments.tables import FIGURES, TABLES
from mmpod.functional import pedcc
from mmpod.visualization.geometry_figures import plot_gram

__all__ = ['as_markdown', 'frame', 'heading', 'notes', 'write_report']

SHARE = 0.9
Records = Mapping[str, Sequence[Record]]  # by setting, study/name


def heading(name: str) -> str:
    """Return how a table is called, with its title."""
    return f'Table {name}: {TABLES[name].title}' if name in PAPER_TABLES else TABLES[name].title


def setting_value(cell: Cell):
    """Return the number of a cell that is a setting."""
    value = Config.fromfile(setting_of(cell.runs).path)
    for key in cell.key.split('.'):
        value = value[key]
    return value


def measured(records: Sequence[Record], metric: str) -> list[float]:
    """Return a final metric, one value for each run that has it."""
    return [record.metrics[metric] for record in records if metric in record.metrics]


def text(values: Sequence[float]) -> str:
    """Return mean and spread with two digits, or none where the numbers are large."""
    if not values:
        return '-'
    return mean_and_spread(values, '.2f' if max(values) < 1000 else '.0f')


def best_epoch(records: Sequence[Record]) -> str:
    """Return the best validation accuracy; ``-`` where runs have no curve."""
    curves = [record.accuracies for record in records]
    return text([max(curve.values()) for curve in curves]) if all(curves) else '-'


def epochs_to_share(records: Sequence[Record]) -> str:
    """Return the first epoch with 90 % of what a run ended with, the mean."""
    curves = [record.accuracies for record in records]
    if not all(curves):
        return '-'
    return f'{statistics.mean(epochs_to_reach(curve, SHARE * list(curve.values())[-1]) for curve in curves):.1f}'


def accuracy_after(records: Sequence[Record], epoch: int) -> str:
    """Return the validation accuracy after an epoch; ``-`` where a run was not validated then."""
    curves = [record.accuracies for record in records]
    return text([curve[epoch] for curve in curves]) if all(epoch in curve for curve in curves) else '-'


def row_of(table: Table, cell: Cell, records: Sequence[Record]) -> dict[str, str]:
    """Return the numbers of a cell by the names of their columns."""
    last = cell.metrics[0]
    if table.epochs:
        numbers = {f'epoch {epoch}, %': accuracy_after(records, epoch) for epoch in table.epochs}
    elif len(cell.metrics) > 1:
        numbers = {metric.rpartition('/')[2]: text(measured(records, metric)) for metric in cell.metrics}
    else:
        has_curve = last == METRIC
        numbers = {
            'last epoch, %': text(measured(records, last)),
            'best epoch, %': best_epoch(records) if has_curve else '-',
            f'epochs to {100 * SHARE:g} % of the last': epochs_to_share(records) if has_curve else '-',
        }
    return {**numbers, 'seeds': ', '.join(str(record.seed) for record in records)}


def paper_rows(cell: Cell, records: Sequence[Record]) -> list[dict[str, str]]:
    """Return the numbers of a cell beside the paper's, one row for each metric."""
    rows = []
    for metric in [cell.key] if cell.key else cell.metrics:
        values = [setting_value(cell)] if cell.key else measured(records, metric)
        form = 'g' if cell.key else '.2f'
        several = len(cell.metrics) > 1
        rows.append(
            {
                'row': cell.row,
                'column': f'{cell.column} ({metric.rpartition("/")[2]})' if several else cell.column,
                'paper': format(cell.paper, form),
                'measured': mean_and_spread(values, form) if values else '-',
                'difference': f'{statistics.mean(values) - cell.paper:+{form}}' if values and not cell.key else '-',
                'best epoch': best_epoch(records) if metric == METRIC and values else '-',
                'seeds': ', '.join(str(record.seed) for record in records) or '-',
                'config': f'`{setting_of(cell.runs).config}`',
            }
        )
    return rows


def frame(table: Table, records: Records) -> pd.DataFrame:
    """Return a table: one row for each cell with runs, or for each cell where the paper has numbers."""
    having = [(cell, runs) for cell in table.cells if (runs := records.get(cell.runs))]
    if any(cell.paper is not None for cell in table.cells):
        rows = [row for cell in table.cells for row in paper_rows(cell, records.get(cell.runs, ()))]
    elif table.pivot:
        values = [(cell.row, cell.column, text(measured(runs, cell.metrics[0]))) for cell, runs in having]
        found = pd.DataFrame(values, columns=[table.varied, 'column', 'value'])
        order = list(dict.fromkeys(found['column']))
        wide = found.pivot(index=table.varied, columns='column', values='value').reindex(columns=order)
        return wide.loc[list(dict.fromkeys(found[table.varied]))].fillna('-').rename_axis(columns=None).reset_index()
    else:
        columns = len({cell.column for cell in table.cells}) > 1
        rows = [
            {table.varied: f'{cell.row}, {cell.column}' if columns else cell.row, **row_of(table, cell, runs)}
            for cell, runs in having
        ]
    return pd.DataFrame(rows)


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, its cells as they are."""
    return table.to_markdown(index=False, disable_numparse=True)


def notes(table: Table, records: Records) -> list[str]:
    """Return what sets runs of a table apart: overrides that their study does not have, and other revisions."""
    revisions: dict[str, dict[str, None]] = {}
    changed: dict[str, dict[str, None]] = {}
    for cell in table.cells:
        for record in records.get(cell.runs, ()):
            who = f'{cell.row} (seed {record.seed})'
            revisions.setdefault(record.versions.get('git') or 'not recorded', {})[who] = None
            more = [option for option in record.overrides if option not in setting_of(cell.runs).overrides]
            if more:
                changed.setdefault(' '.join(more), {})[who] = None
    lines = [f'With `{options}`: {", ".join(who)}.' for options, who in changed.items()]
    if len(revisions) > 1:
        most = max(revisions, key=lambda revision: len(revisions[revision]))
        others = '; '.join(f'{revision}: {", ".join(who)}' for revision, who in revisions.items() if revision != most)
        lines.append(f'Runs from several revisions of mmpod: {most}, but {others}.')
    return lines


def draw(name: str, path: Path, records: Records) -> bool:
    """Draw a figure, and say whether there was anything to draw."""
    figure = FIGURES[name]
    having = [(cell, runs) for cell in figure.cells if (runs := records.get(cell.runs))]
    if figure.kind == 'derivative':
        plot_derivative(figure.power, path)
    elif figure.kind == 'gram':
        plot_gram(pedcc(10, 256), path)
    elif not having:
        return False
    elif figure.kind == 'curves':
        plot_curves([(cell.row, record.seed, record.accuracies) for cell, runs in having for record in runs], path)
    else:
        paper = {cell.row: cell.paper for cell in figure.cells if cell.paper is not None}
        values = {cell.row: measured(records.get(cell.runs, ()), METRIC) for cell in figure.cells}
        plot_sweep(values, paper, figure.varied, path)
    return True


def write_report(out: Path, records: Records, tables: Sequence[str], figures: Sequence[str]) -> list[Path]:
    """Write one Markdown file for each table and one picture for each figure that have runs, and `tables.csv`.

    Args:
        out: Folder to write to.
        records: The runs by setting.
        tables: Names of the tables.
        figures: Names of the figures.

    Returns:
        list[Path]: What was written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written, all_rows = [], []
    for name in tables:
        table = TABLES[name]
        found = frame(table, records)
        if found.empty:
            continue
        path = out / f'{name}.md'
        path.write_text('\n\n'.join([as_markdown(found), *notes(table, records)]) + '\n', encoding='utf-8')
        written.append(path)
        all_rows += [
            {'table': name, 'row': cell.row, 'column': cell.column, 'runs': cell.runs, 'paper': cell.paper}
            | {'metric': metric, 'seed': record.seed, 'value': record.metrics[metric]}
            for cell in table.cells
            for record in records.get(cell.runs, ())
            for metric in cell.metrics
            if metric in record.metrics
        ]
    pd.DataFrame(all_rows).to_csv(out / 'tables.csv', index=False)
    drawn = [out / f'{name}.png' for name in figures if draw(name, out / f'{name}.png', records)]
    return [*written, out / 'tables.csv', *drawn]

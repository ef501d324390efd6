"""What experiments there are, with the state of their runs or, for the documentation, without."""

from collections.abc import Callable, Sequence

from mmpod.experiments.catalogue import FIGURES, heading
from mmpod.experiments.cells import Figure
from mmpod.experiments.datasets import dataset_of
from mmpod.experiments.run import Run
from mmpod.experiments.selection import Selection

__all__ = ['index', 'listing']


def describe(run: Run) -> str:
    """Return the seed of a run, its state and what there is to say about it."""
    state = run.state
    if state == 'done':
        state += ''.join(f' {value:.2f}' for name, value in run.metrics().items() if name.endswith('top1'))
    elif state == 'failed':
        state += f': {run.record["failed"]}'
    elif state != 'not run':
        state += f' at epoch {max(run.accuracies(), default=0)}'
    return f'{run.seed} {state}'


def listing(selection: Selection, run_of: Callable[[str, int], Run], seeds: Sequence[int]) -> str:
    """Return every selected row and figure, with its config, dataset, seeds and their state."""
    lines = []
    for name, cells in selection.cells.items():
        lines += ['', heading(name)]
        for cell in cells:
            states = [describe(run_of(cell.config, seed)) for seed in seeds]
            if all(state.endswith('not run') for state in states):
                states = [f'{" ".join(map(str, seeds))} not run']
            state = 'a setting' if cell.setting is not None else 'seeds ' + '; '.join(states)
            lines.append(f'  {cell.row} | {cell.column} | {cell.config} | {dataset_of(cell.config).name} | {state}')
    for name in selection.figures:
        lines += ['', f'{name}: {FIGURES[name].title}']
        lines += [f'  {source}' for source in _sources(FIGURES[name])]
    return '\n'.join(lines).lstrip()


def index(selection: Selection) -> str:
    """Return what there is, as Markdown."""
    lines = ['| table | row | column | paper | config |', '|---|---|---|---|---|']
    for name, cells in selection.cells.items():
        for cell in cells:
            paper = '-' if cell.paper is None else f'{cell.paper:g}'
            lines.append(f'| {name} | {cell.row} | {cell.column} | {paper} | `{cell.config}` |')
    lines += ['', '| figure | shows | from |', '|---|---|---|']
    for name in selection.figures:
        lines.append(f'| {name} | {FIGURES[name].title} | {", ".join(_sources(FIGURES[name]))} |')
    return '\n'.join(lines)


def _sources(figure: Figure) -> list[str]:
    if figure.table:
        return [f'the runs of table {figure.table}']
    return list(figure.configs) or ['the formula']

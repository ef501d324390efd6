"""Figures of runs: curves with bands over the seeds, sweeps, and differences of tables."""

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

import pandas as pd

from mmpod.experiments.comparison import half_interval
from mmpod.experiments.metrics import METRIC, unit
from mmpod.experiments.records import Record
from mmpod.experiments.run_files import Run
from mmpod.visualization.style import COLOURS, MARKERS, new_axes, write_png

__all__ = ['loss_names', 'plot_accuracy', 'plot_differences', 'plot_geometry', 'plot_sweep']

Runs = Sequence[tuple[str, Union[Run, Record]]]  # each with the name that the legend gives it
MOST_LINES = len(COLOURS)  # in a panel
# Title and axis of the panels of `plot_geometry`.
PANELS = {
    'target_cosine': ('Cosine to the prototype of the class', 'mean cosine'),
    'max_nontarget_cosine': ('Cosine to the nearest other prototype', 'mean cosine'),
    'within_between': ('Variance within / between classes', 'ratio (log scale)'),
    'effective_rank': ('Effective rank', 'dimensions'),
}
LEGENDS = {
    'AMSoftmaxLoss': 'AM-Softmax',
    'ASoftmaxLoss': 'A-Softmax',
    'COTClassifier': 'COT',
    'CenterLoss': 'Center Loss',
    'CrossEntropyLoss': 'Softmax',
    'LSoftmaxLoss': 'L-Softmax',
    'LabelSmoothLoss': 'Softmax with label smoothing',
    'NormAdaptivePODLoss': 'POD Loss, norm-adaptive',
    'PEDCCLoss': 'PEDCC-Loss',
    'PODLoss': 'POD Loss',
}


def loss_names(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what legends call each config: its loss, followed by the config's name where others have the same loss.

    Args:
        models: The ``model`` of each config, by the config's name.

    Example:
        >>> pod = dict(head=dict(type='mmpod.PEDCCHead', loss=dict(type='mmpod.PODLoss')))
        >>> bn = dict(head=dict(pod['head'], norm_cfg=dict(type='BN1d')))
        >>> loss_names({'a': pod, 'b': bn, 'c': pod})
        {'a': 'POD Loss (a)', 'b': 'POD Loss with a batch norm', 'c': 'POD Loss (c)'}
    """
    losses = {name: _loss_name(model) for name, model in models.items()}
    count = Counter(losses.values())
    return {name: loss if count[loss] == 1 else f'{loss} ({name})' for name, loss in losses.items()}


def _loss_name(model: Mapping[str, Any]) -> str:
    head = model.get('head') or {}
    loss = head.get('loss') or {}
    found = [part['type'] for part in (loss, head, model) if 'type' in part]
    types = [getattr(one, '__name__', str(one)).rpartition('.')[2] for one in found]
    if 'COTClassifier' in types:
        return LEGENDS['COTClassifier']
    if types[:1] == ['PODLoss'] and loss.get('sc_weight') == 0:
        return 'PEDCC-MSE' if loss.get('power') == 1 else 'Cosine Loss'
    name = LEGENDS.get(types[0], types[0]) if types else 'model'
    return f'{name} with a batch norm' if head.get('norm_cfg') else name


def draw_curves(axes, runs: Runs, metric: str) -> dict:
    """Draw a metric by epoch: the mean of each name as a line, the range of its seeds as a band.

    Returns:
        dict: For the legend, the line of each name.
    """
    import seaborn

    rows = [(name, epoch, value) for name, run in runs for epoch, value in run.curve(metric).items()]
    if not rows:
        return {}
    frame = pd.DataFrame(rows, columns=['run', 'epoch', metric])
    names = list(dict.fromkeys(name for name, _ in runs))  # also those without the metric: one look in all panels
    every = max(1, frame['epoch'].nunique() // 10)
    colours = [COLOURS[index % len(COLOURS)] for index in range(len(names))]
    look = dict(palette=colours, markers=True, markersize=5, markeredgewidth=0, markevery=every)
    order = dict(hue='run', style='run', hue_order=names, style_order=names)
    seaborn.lineplot(frame, x='epoch', y=metric, errorbar=('pi', 100), ax=axes, **order, **look)
    handles, labels = axes.get_legend_handles_labels()
    if legend := axes.get_legend():
        legend.remove()
    axes.xaxis.get_major_locator().set_params(integer=True)
    return dict(zip(labels, handles))


def band_note(runs: Runs) -> str:
    """Return what the lines and bands of the curves show."""
    seeds = sorted(set(Counter(name for name, _ in runs).values()))
    if seeds[-1] == 1:
        return 'one seed'
    return f'line: mean of {" to ".join(map(str, seeds))} seeds, band: lowest to highest'


def plot_accuracy(runs: Runs, path: Path, metric: str = METRIC, title: str = '') -> None:
    """Write a PNG of a metric by epoch, see :func:`draw_curves`; many lines are split over panels side by side."""
    names = list(dict.fromkeys(name for name, _ in runs))
    number = math.ceil(len(names) / MOST_LINES)
    size = math.ceil(len(names) / number)
    figure, _ = new_axes(6.4 * number, 4.4 + 0.2 * math.ceil(size / 2), 1, number)
    for index, axes in enumerate(figure.axes):
        shown = names[index * size : (index + 1) * size]
        part = [(name, run) for name, run in runs if name in shown]
        axes.sharey(figure.axes[0])  # before drawing, so that the limits hold all curves
        lines = draw_curves(axes, part, metric)
        label = 'accuracy (%)' if metric == METRIC else f'{metric}{unit(metric)}'
        axes.set(xlabel='epoch', ylabel=label, title=f'({chr(ord("a") + index)})' if number > 1 else '')
        place = dict(loc='upper center', bbox_to_anchor=(0.5, -0.14), ncols=2)  # below, where it hides no curve
        axes.legend(lines.values(), lines, fontsize='small', title=band_note(part), title_fontsize='small', **place)
    figure.suptitle(title, fontsize='medium')
    write_png(figure, path)


def plot_geometry(runs: Runs, path: Path, title: str = 'Geometry of the features') -> None:
    """Write a PNG of four metrics of ``mmpod.FeatureGeometry`` by epoch; a head without prototypes has no cosines."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    figure, axes = new_axes(7.6, 6.2, 2, 2)
    handles = {}
    for panel, (metric, (name, label)) in zip(axes.flat, PANELS.items()):
        handles.update(draw_curves(panel, runs, f'geometry/{metric}'))
        panel.set_title(name, fontsize='medium')
        panel.set(xlabel='epoch', ylabel=label)
    ratio = axes[1, 0]
    ratio.set_yscale('log')
    low, high = ratio.get_ylim()
    wide = LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,))
    ratio.yaxis.set_major_locator(MaxNLocator(5) if high < 5 * low else wide)
    ratio.yaxis.set_major_formatter('{x:g}')
    ratio.yaxis.set_minor_formatter(NullFormatter())
    below = dict(loc='outside lower center', ncols=2, fontsize='small', title_fontsize='small')
    figure.legend(handles.values(), handles, title=band_note(runs), **below)
    figure.suptitle(title, fontsize='medium')
    write_png(figure, path)


def plot_sweep(
    measured: Mapping[str, Sequence[float]], paper: Mapping[str, float], varied: str, path: Path, title: str = ''
) -> None:
    """Write a PNG of accuracy (%) by the value of a setting: mean and standard deviation over the seeds.

    Args:
        measured: The accuracies of the seeds by value of the setting; none for values that were not run.
        paper: The paper's accuracy by value of the setting, if there is one.
        varied: What is varied.
        path: Where to write it.
        title: Title of the figure.
    """
    import seaborn

    figure, axes = new_axes()
    frame = pd.DataFrame({name: pd.Series(values, dtype=float) for name, values in measured.items()})
    label = 'measured: mean and standard deviation over the seeds'
    look = dict(marker=MARKERS[0], markersize=6, linewidth=1.5, capsize=0.1, color=COLOURS[0], label=label)
    seaborn.pointplot(frame, errorbar='sd', ax=axes, **look)
    if paper:
        axes.plot(list(paper), list(paper.values()), '--', marker=MARKERS[1], color=COLOURS[1], label='paper')
    axes.set(xlabel=f'{varied} (values evenly spaced)', ylabel='accuracy (%)')
    figure.legend(loc='outside lower center', ncols=2, fontsize='small')
    figure.suptitle(title, fontsize='medium')
    write_png(figure, path)


def plot_differences(panels: Mapping[str, pd.DataFrame], path: Path) -> bool:
    """Write a PNG with a panel for each table: by row, how far its columns are from its first column.

    A point is the mean of the differences seed by seed, a bar their 95 % confidence interval (Student's t).

    Args:
        panels: By title, the table's numbers by ``row``, ``column`` and ``seed``, each a ``value``.
        path: Where to write it.

    Returns:
        bool: Whether there is a difference to draw.
    """
    import seaborn

    def interval(values):
        return values.mean() - half_interval(values), values.mean() + half_interval(values)

    frame = pd.concat(numbers.assign(table=title) for title, numbers in panels.items())
    first, *others = frame.column.unique()
    pairs = frame.merge(frame[frame.column == first], on=['table', 'row', 'seed'], suffixes=('', '_first'))
    pairs = pairs.assign(difference=pairs.value - pairs.value_first)[pairs.column != first]
    if pairs.empty:
        return False
    pairs['row'] = [textwrap.fill(row, 12) for row in pairs.row]
    panel = dict(col='table', col_wrap=2, sharex=False, sharey=False, height=3.5, aspect=1.37, legend_out=False)
    look = dict(palette=COLOURS[: len(others)], markers=MARKERS[: len(others)], linewidth=1.5, capsize=0.08)
    places = dict(x='row', y='difference', hue='column', hue_order=others, dodge=0.14 * (len(others) - 1))
    grid = seaborn.catplot(pairs, kind='point', linestyle='none', errorbar=interval, **places, **panel, **look)
    grid.set_titles('{col_name}').set_axis_labels('', f'difference from {first} (points)')
    grid.refline(y=0, color='black', linestyle='-', linewidth=1)
    for axes in grid.axes.flat:
        axes.grid(alpha=0.3)
        axes.tick_params(axis='x', labelsize='small')
    title = 'point: mean of the differences seed by seed, bar: 95 % confidence interval'
    grid.figure.set_layout_engine('constrained')
    seaborn.move_legend(grid, 'outside lower center', ncols=2, title=title, fontsize='small', title_fontsize='small')
    write_png(grid.figure, path)
    return True

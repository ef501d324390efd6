"""Figures of runs: curves with bands over the seeds, sweeps, and the derivatives of the paper's Fig. 3 and 4."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmpod.experiments.run import METRIC, Run
from mmpod.functional import cosine_loss
from mmpod.visualization.style import COLOURS, MARKERS, STYLES, new_axes, write_png

__all__ = [
    'by_name',
    'draw_curves',
    'plot_accuracy',
    'plot_derivative',
    'plot_geometry',
    'plot_sweep',
]


def by_name(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs grouped by name, in the order of first appearance."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups


def draw_curves(axes, runs: Sequence[Run], metric: str) -> None:
    """Draw a metric by epoch: the mean of each name as a line, the range of its seeds as a band."""
    for index, (name, group) in enumerate(by_name(runs).items()):
        curves = [run.curve(metric) for run in group]
        epochs = sorted(set.intersection(*(set(curve) for curve in curves)))
        columns = [[curve[epoch] for curve in curves] for epoch in epochs]
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(
            epochs,
            [statistics.mean(column) for column in columns],
            STYLES[index % len(STYLES)],
            marker=MARKERS[index % len(MARKERS)],
            markevery=max(1, len(epochs) // 10),
            markersize=4,
            color=colour,
            label=name,
        )
        axes.fill_between(
            epochs,
            [min(column) for column in columns],
            [max(column) for column in columns],
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    axes.xaxis.get_major_locator().set_params(integer=True)


def plot_accuracy(runs: Sequence[Run], path: Path, metric: str = METRIC) -> None:
    """Write a PNG of a metric by epoch, see :func:`draw_curves`."""
    figure, axes = new_axes()
    draw_curves(axes, runs, metric)
    axes.set(xlabel='epoch', ylabel='test accuracy (%)' if metric == METRIC else metric)
    # Below the axes, where it hides no curve, however many there are.
    figure.legend(loc='outside lower center', ncols=2, fontsize='small')
    figure.set_figheight(figure.get_figheight() + 0.2 * math.ceil(len(by_name(runs)) / 2))
    write_png(figure, path)


def derivative(power: int, degrees: Tensor) -> Tensor:
    r"""Return :math:`d/d\theta\,(1 - \cos\theta)^{power}` at angles (N,), by autograd through the loss itself."""
    angles = torch.deg2rad(degrees.double()).requires_grad_()
    features = torch.stack([angles.cos(), angles.sin()], dim=1)
    centroids = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    cosine_loss(features, torch.zeros(len(angles), dtype=torch.long), centroids, power).sum().backward()
    return angles.grad


def plot_derivative(power: int, path: Path) -> None:
    """Write Fig. 3 (``power`` 1) or Fig. 4 (2): the slope of the cosine term by the angle to the own centroid."""
    degrees = torch.arange(181)
    slope = derivative(power, degrees)
    top = int(slope.argmax())
    figure, axes = new_axes(5.0, 3.6)
    axes.plot(degrees, slope, color=COLOURS[0])
    axes.plot(top, slope[top], MARKERS[0], color=COLOURS[1])
    axes.annotate(f'{slope[top]:.3f} at {top}°', (top, slope[top]), (top - 30, 0.9 * slope[top]), ha='right')
    label = 'd(1 - cos θ)/dθ' if power == 1 else f'd(1 - cos θ)$^{power}$/dθ'
    axes.set(xlabel='angle θ to the own centroid (degrees)', ylabel=label, xticks=range(0, 181, 30))
    write_png(figure, path)


def plot_sweep(rows: Sequence[tuple[str, Sequence[float], object]], xlabel: str, path: Path) -> None:
    """Write accuracy by the setting of a sweep.

    Args:
        rows: For each setting its name, the accuracies (%) of its seeds (none where it was not run) and the paper's
            number or None.
        xlabel: What is varied.
        path: Where to write the PNG.
    """
    figure, axes = new_axes()
    measured = [(index, values) for index, (_, values, _) in enumerate(rows) if values]
    axes.errorbar(
        [index for index, _ in measured],
        [statistics.mean(values) for _, values in measured],
        [statistics.stdev(values) if len(values) > 1 else 0 for _, values in measured],
        marker=MARKERS[0],
        capsize=3,
        color=COLOURS[0],
        label='measured (mean and standard deviation over seeds)',
    )
    paper = [(index, number) for index, (_, _, number) in enumerate(rows) if number is not None]
    if paper:
        axes.plot(*zip(*paper), '--', marker=MARKERS[1], color=COLOURS[1], label='paper')
    axes.set(xlabel=xlabel, ylabel='test accuracy (%)')
    axes.set_xticks(range(len(rows)), [name for name, _, _ in rows])
    axes.legend(fontsize='small')
    write_png(figure, path)


PANELS = {
    'target_cosine': 'cosine to the own prototype',
    'max_nontarget_cosine': 'largest cosine to another',
    'within_between': 'variance within / between',
    'effective_rank': 'effective rank',
}


def plot_geometry(runs: Sequence[Run], path: Path) -> None:
    """Write four metrics of ``mmpod.FeatureGeometry`` by epoch, see :func:`draw_curves`.

    Args:
        runs: Runs that have logged them; those of heads without prototypes have no cosines.
        path: Where to write the PNG.
    """
    figure, axes = new_axes(7.6, 5.4, 2, 2)
    for panel, (metric, label) in zip(axes.flat, PANELS.items()):
        draw_curves(panel, [run for run in runs if run.curve(f'geometry/{metric}')], f'geometry/{metric}')
        panel.set(xlabel='epoch', ylabel=label)
    axes[1, 0].set_yscale('log')
    axes[1, 0].yaxis.set_major_formatter('{x:g}')
    axes[1, 0].yaxis.set_minor_formatter('{x:g}')
    handles = {line.get_label(): line for panel in axes.flat for line in panel.get_lines()}
    figure.legend(handles.values(), handles, loc='outside lower center', ncols=2, fontsize='small')
    figure.set_figheight(figure.get_figheight() + 0.2 * math.ceil(len(by_name(runs)) / 2))
    write_png(figure, path)

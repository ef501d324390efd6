"""Figures: readable in print and by colour-blind people, for lines differ in style and marker as well as in colour."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import torch
from torch import Tensor

from mmpod.functional import cosine_loss

from .runs import Run

__all__ = [
    'by_name',
    'plot_accuracy',
    'plot_cosines',
    'plot_derivative',
    'plot_embedding',
    'plot_gram',
    'plot_sweep',
]

# Okabe and Ito's colours.
COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
STYLES = ['-', '--', ':', '-.']
MARKERS = ['o', 's', '^', 'D', 'v', 'P', 'X']


def _axes(width: float = 6.4, height: float = 4.2):
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(width, height), layout='constrained')
    axes.grid(alpha=0.3)
    return figure, axes


def _write(figure, path: Path) -> None:
    from matplotlib import pyplot as plt

    figure.savefig(path, dpi=150)
    plt.close(figure)


def by_name(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs grouped by name, in the order of first appearance."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups


def plot_accuracy(runs: Sequence[Run], path: Path) -> None:
    """Write a PNG of accuracy by epoch: the mean of each name as a line, the range of its seeds as a band."""
    figure, axes = _axes()
    for index, (name, group) in enumerate(by_name(runs).items()):
        curves = [run.accuracies() for run in group]
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
    axes.set(xlabel='epoch', ylabel='test accuracy (%)')
    axes.xaxis.get_major_locator().set_params(integer=True)
    # Below the axes, where it hides no curve, however many there are.
    figure.legend(loc='outside lower center', ncols=2, fontsize='small')
    figure.set_figheight(figure.get_figheight() + 0.2 * math.ceil(len(by_name(runs)) / 2))
    _write(figure, path)


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
    figure, axes = _axes(5.0, 3.6)
    axes.plot(degrees, slope, color=COLOURS[0])
    axes.plot(top, slope[top], MARKERS[0], color=COLOURS[1])
    axes.annotate(f'{slope[top]:.3f} at {top}°', (top, slope[top]), (top - 30, 0.9 * slope[top]), ha='right')
    label = 'd(1 - cos θ)/dθ' if power == 1 else f'd(1 - cos θ)$^{power}$/dθ'
    axes.set(xlabel='angle θ to the own centroid (degrees)', ylabel=label, xticks=range(0, 181, 30))
    _write(figure, path)


def plot_gram(centroids: Tensor, path: Path, what: str = '') -> None:
    """Write the inner products of all pairs of centroids (K, D) as a coloured matrix, entitled ``what``."""
    figure, axes = _axes(5.0, 4.2)
    gram = centroids @ centroids.T
    image = axes.imshow(gram, cmap='cividis', vmin=-1, vmax=1)
    axes.grid(False)
    num_classes = len(gram)
    axes.set(
        xlabel='class',
        ylabel='class',
        title=f'{what + ": " if what else ""}K = {num_classes}, D = {centroids.shape[1]}',
    )
    if num_classes <= 12:
        axes.set(xticks=range(num_classes), yticks=range(num_classes))
        for row in range(num_classes):
            for column in range(num_classes):
                value = float(gram[row, column])
                colour = 'black' if value > 0.5 else 'white'
                axes.text(column, row, f'{value:.2f}', ha='center', va='center', color=colour, fontsize=7)
    figure.colorbar(image, label='inner product')
    _write(figure, path)


def plot_sweep(rows: Sequence[tuple[str, Sequence[float], object]], xlabel: str, path: Path) -> None:
    """Write accuracy by the setting of a sweep.

    Args:
        rows: For each setting its name, the accuracies (%) of its seeds (none where it was not run) and the paper's
            number or None.
        xlabel: What is varied.
        path: Where to write the PNG.
    """
    figure, axes = _axes()
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
    _write(figure, path)


def plot_cosines(own: Tensor, foreign: Tensor, num_classes: int, path: Path) -> None:
    """Write histograms of the cosines to the own prototype and the largest to another, (N,) each.

    A line marks -1/(K - 1), the cosine of any two vertices of a regular simplex.
    """
    figure, axes = _axes(5.4, 3.6)
    simplex = -1 / (num_classes - 1)
    start = math.floor(4 * min(float(own.min()), float(foreign.min()), simplex)) / 4
    bins = torch.arange(start, 1.02, 0.025).clamp_max(1).unique().tolist()
    for values, name, colour, style in (
        (own, 'to the own class', COLOURS[0], '-'),
        (foreign, 'largest to another class', COLOURS[1], '--'),
    ):
        mean = float(values.mean())
        settings = dict(bins=bins, weights=[100 / len(values)] * len(values), color=colour)
        axes.hist(values, alpha=0.25, **settings)
        axes.hist(
            values, histtype='step', linestyle=style, linewidth=1.5, label=f'{name} (mean {mean:.3f})', **settings
        )
    axes.axvline(simplex, color='black', linestyle=':', linewidth=1, label=f'-1/(K - 1) = {simplex:.3f}')
    axes.set(xlabel='cosine', ylabel=f'% of {len(own)} samples', xlim=(start, 1))
    figure.legend(loc='outside lower center', ncols=2, fontsize='small')
    _write(figure, path)


def plot_embedding(
    points: Tensor, labels: Tensor, prototypes: Optional[Tensor], names: Sequence[str], title: str, path: Path
) -> None:
    """Write a map of features in two dimensions, coloured by class, with the prototypes as stars.

    Args:
        points: Shape (N, 2).
        labels: Shape (N,), integers in [0, K).
        prototypes: Shape (K, 2), or None.
        names: K names, written beside the stars, or at the class's middle where there are none; of 30 classes at most.
        title: What the map is.
        path: Where to write the PNG.
    """
    from matplotlib import colormaps, patheffects

    figure, axes = _axes(5.6, 5.2)
    num_classes = len(names)
    colours = colormaps['tab20' if 10 < num_classes <= 20 else 'tab10' if num_classes <= 10 else 'turbo']
    scale = 1 if num_classes <= 20 else max(1, num_classes - 1)
    colour = [colours(label if scale == 1 else label / scale) for label in range(num_classes)]
    axes.scatter(
        *points.T, s=12, c=[colour[label] for label in labels.tolist()], alpha=0.6, linewidths=0, rasterized=True
    )
    if prototypes is not None:
        axes.scatter(*prototypes.T, s=170, marker='*', c=colour, edgecolors='black', linewidths=1, zorder=3)
    for label in labels.unique().tolist() if num_classes <= 30 else ():
        place = points[labels == label].median(dim=0).values if prototypes is None else prototypes[label]
        text = axes.annotate(names[label], place, (6, 6), textcoords='offset points', weight='bold', zorder=4)
        text.set_path_effects([patheffects.withStroke(linewidth=2.5, foreground='white')])
    axes.grid(False)
    axes.set(xticks=[], yticks=[], title=title)
    _write(figure, path)

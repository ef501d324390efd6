"""Figures of how features lie about prototypes and class means."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import torch
from torch import Tensor

from mmpod.visualization.style import COLOURS, new_axes, write_png

__all__ = ['plot_cosines', 'plot_embedding', 'plot_gram']


def plot_cosines(own: Tensor, foreign: Tensor, num_classes: int, path: Path) -> None:
    """Write histograms of the cosines to the own prototype and the largest to another, (N,) each.

    A line marks -1/(K - 1), the cosine of any two vertices of a regular simplex.
    """
    figure, axes = new_axes(5.4, 3.6)
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
    write_png(figure, path)


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

    figure, axes = new_axes(5.6, 5.2)
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
    write_png(figure, path)


def plot_gram(centroids: Tensor, path: Path, what: str = '') -> None:
    """Write the inner products of all pairs of centroids (K, D) as a coloured matrix, entitled ``what``."""
    figure, axes = new_axes(5.0, 4.2)
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
    write_png(figure, path)

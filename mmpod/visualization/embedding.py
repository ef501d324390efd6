"""Maps of features and prototypes in two dimensions, by t-SNE, UMAP or PCA."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import torch
from torch import Tensor

from mmpod.visualization.style import new_axes, write_png

__all__ = ['METHODS', 'embed', 'plot_embedding']

# Each method's name and axes, and the package that it needs.
METHODS = {
    'tsne': ('t-SNE', 't-SNE dimension', 'sklearn'),
    'umap': ('UMAP', 'UMAP dimension', 'umap'),
    'pca': ('PCA', 'principal component', 'torch'),
}


def embed(
    features: Tensor, prototypes: Optional[Tensor], method: str, seed: int = 0
) -> tuple[Tensor, Optional[Tensor]]:
    """Return unit-length features and prototypes in two dimensions.

    t-SNE and UMAP use the cosine and place both together; PCA takes the two directions in which the features vary most.

    Args:
        features: Shape (N, D), N >= 4.
        prototypes: Shape (K, D), or None.
        method: One of :data:`METHODS`.
        seed: Seed of t-SNE and UMAP.

    Returns:
        tuple[Tensor, Optional[Tensor]]: Shapes (N, 2) and (K, 2).
    """
    rows = features if prototypes is None else torch.cat([features, prototypes])
    if method == 'pca':
        mean = features.mean(dim=0)
        axes = torch.linalg.svd(features - mean, full_matrices=False).Vh[:2]
        placed = (rows - mean) @ axes.T
    elif method == 'tsne':
        from sklearn.manifold import TSNE

        perplexity = min(30, (len(rows) - 1) / 3)
        tsne = TSNE(metric='cosine', perplexity=perplexity, random_state=seed)
        placed = torch.from_numpy(tsne.fit_transform(rows.float().numpy()))
    else:
        from umap import UMAP

        umap = UMAP(metric='cosine', n_neighbors=min(15, len(rows) - 1), random_state=seed)
        placed = torch.from_numpy(umap.fit_transform(rows.float().numpy()))
    return placed[: len(features)], None if prototypes is None else placed[len(features) :]


def plot_embedding(
    points: Tensor, labels: Tensor, prototypes: Optional[Tensor], names: Sequence[str], method: str, path: Path
) -> None:
    """Write a map of features in two dimensions, coloured by class, with the prototypes as stars.

    Args:
        points: Shape (N, 2).
        labels: Shape (N,), integers in [0, K).
        prototypes: Shape (K, 2), or None.
        names: K names, written next to the stars, or in the middle of each class without stars, for at most 30 classes.
        method: One of :data:`METHODS`.
        path: Where to write the PNG.
    """
    import seaborn
    from matplotlib import patheffects

    figure, axes = new_axes(5.6, 5.4)
    num_classes = len(names)
    palette = 'tab10' if num_classes <= 10 else 'tab20' if num_classes <= 20 else 'turbo'
    colours = seaborn.color_palette(palette, num_classes)
    dots = axes.scatter(*points.T, s=12, c=[colours[label] for label in labels], alpha=0.6, linewidths=0)
    dots.set(rasterized=True, label=f'{len(points)} features, a colour for each of {num_classes} classes')
    if prototypes is not None:
        star = dict(s=170, marker='*', edgecolors='black', linewidths=1, zorder=3)
        axes.scatter(*prototypes.T, c=colours, label='prototypes', **star)
    for label in labels.unique().tolist() if num_classes <= 30 else ():
        place = points[labels == label].median(dim=0).values if prototypes is None else prototypes[label]
        text = axes.annotate(names[label], place, (0, 8), textcoords='offset points', ha='center', zorder=4)
        text.set(weight='bold', path_effects=[patheffects.withStroke(linewidth=2.5, foreground='white')])
    name, axis, _ = METHODS[method]
    axes.margins(0.12)  # room for the names
    axes.set(xticks=[], yticks=[], xlabel=f'{axis} 1', ylabel=f'{axis} 2', title=f'{name} of the features')
    legend = figure.legend(loc='outside lower center', ncols=2, fontsize='small')
    for handle in legend.legend_handles:
        handle.set(facecolor='gray', alpha=1, sizes=[50])
    write_png(figure, path)

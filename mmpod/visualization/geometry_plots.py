"""Figures and numbers of a trained model's features: their class means, prototypes and cosines."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import torch
from mmengine.runner import Runner
from torch import Tensor

from mmpod.engine.class_names import check_same_classes, dataset_classes
from mmpod.engine.extraction import all_features, ordered_loader, plain_model, training_set
from mmpod.functional import neural_collapse, normalize_rows, target_and_nontarget_cosines
from mmpod.functional.geometry import centred_class_means
from mmpod.functional.moments import class_moments
from mmpod.models.head_features import head_prototypes, stage_features
from mmpod.visualization.embedding import embed, plot_embedding
from mmpod.visualization.style import COLOURS, new_axes, write_png

__all__ = ['Features', 'collect_features', 'draw_geometry', 'plot_cosines', 'plot_gram']


class Features(NamedTuple):
    """What the head of a model gets from a dataset.

    Attributes:
        features: Unit-length ``pre_logits`` features, shape (N, D), float64.
        labels: Shape (N,), int64.
        prototypes: What the head compares them with, of any length, shape (K, D), float64, or None.
        names: Names of the K classes.
    """

    features: Tensor
    labels: Tensor
    prototypes: Optional[Tensor]
    names: list[str]


def collect_features(runner: Runner, split: str, classes: Optional[list[str]] = None) -> Features:
    """Return the features of a loaded model, without augmentation.

    Args:
        runner: With the weights loaded.
        split: ``'test'``, the dataset of ``test_dataloader``, or ``'train'``, that of ``train_dataloader``.
        classes: The names of the classes that the model was trained on, if they are known.

    Raises:
        UserError: The dataset has other classes.
        ValueError: The images have no labels, the features are not vectors, or one is not finite.
    """
    model = plain_model(runner.model)
    dataset = runner.cfg.test_dataloader.dataset if split == 'test' else training_set(runner)
    loader = ordered_loader(runner, dataset)
    if 'gt_label' not in loader.dataset[0]['data_samples']:
        raise ValueError(
            f'Expected the images of the {split} set to have labels, but they have no `gt_label`. Use --split train, '
            'or name a labelled set in test_dataloader.'
        )
    check_same_classes({'the checkpoint': classes, f'the {split} dataset': dataset_classes(loader.dataset)})
    head: Any = model.head

    def features_of(inputs: Tensor) -> dict[str, Tensor]:
        return dict(features=stage_features(head, model.extract_feat(inputs), 'pre_logits'))

    found, labels = all_features(runner, loader, features_of, f'Features ({split})')
    features = found['features']
    if not torch.isfinite(features).all():
        raise ValueError('Expected finite features, but got NaN or infinity: the model has diverged.')
    prototypes = head_prototypes(head)
    names = dataset_classes(loader.dataset) or []
    if len(names) != head.num_classes:
        names = list(map(str, range(head.num_classes)))
    return Features(
        normalize_rows(features),
        labels,
        None if prototypes is None else prototypes.double().cpu(),
        names,
    )


def draw_geometry(data: Features, folder: Path, method: str = 'tsne', max_samples: int = 2000, seed: int = 0) -> dict:
    """Write the figures into a folder, and return the numbers of ``mmpod.FeatureGeometry``.

    - ``gram.png``: cosines of the prototypes; ``means.png``: cosines of the centred class means;
    - ``cosines.png``: histograms of the cosines to the prototype of the true class and to the nearest other;
    - ``embedding.png``: a map of the features and the prototypes; if there are more samples than ``max_samples``,
      ``seed`` chooses among them.

    Without prototypes, the figures and numbers that need them are left out.
    """
    features, labels, prototypes, names = data
    moments = class_moments(features, labels, len(names), by_class=False)
    numbers = {name: value.item() for name, value in neural_collapse(moments, prototypes).items()}
    if prototypes is not None:
        target, nontarget = target_and_nontarget_cosines(features, labels, prototypes)
        numbers = dict(target_cosine=target.mean().item(), max_nontarget_cosine=nontarget.mean().item(), **numbers)
        prototypes = normalize_rows(prototypes)
        plot_gram(prototypes, folder / 'gram.png', 'Prototypes', names)
        plot_cosines(target, nontarget, len(names), folder / 'cosines.png')
    if (moments.counts > 0).all():  # otherwise the rows would not be numbered as the classes are
        plot_gram(normalize_rows(centred_class_means(moments)), folder / 'means.png', 'Centred class means', names)
    chosen = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))[:max_samples].sort().values
    points, stars = embed(features[chosen], prototypes, method, seed)
    plot_embedding(points, labels[chosen], stars, names, method, folder / 'embedding.png')
    return numbers


def plot_cosines(target: Tensor, nontarget: Tensor, num_classes: int, path: Path) -> None:
    """Write histograms of the cosines to the prototype of the true class and to the nearest other one, (N,) each.

    A line marks -1/(K - 1), the cosine of any two vertices of a regular simplex.
    """
    import seaborn

    figure, axes = new_axes(5.4, 4.0)
    simplex = -1 / (num_classes - 1)
    start = math.floor(4 * min(float(target.min()), float(nontarget.min()), simplex)) / 4
    bins = torch.arange(start, 1.02, 0.025).clamp_max(1).unique().tolist()
    for values, name, colour, line in (
        (target, 'to the prototype of its class', COLOURS[0], '-'),
        (nontarget, 'to the nearest other prototype', COLOURS[1], '--'),
    ):
        seaborn.histplot(
            x=values.numpy(),
            bins=bins,
            stat='percent',
            element='step',
            color=colour,
            alpha=0.25,
            linestyle=line,
            linewidth=1.5,
            label=f'{name}, mean {float(values.mean()):.3f}',
            ax=axes,
        )
    label = f'-1/(K - 1) = {simplex:.3f}, any two vertices of a regular simplex'
    axes.axvline(simplex, color='black', linestyle=':', linewidth=1, label=label)
    axes.set(xlabel='cosine of a feature', ylabel='% of the samples', xlim=(start, 1.01))
    axes.set_title(f'Cosines of {len(target)} features to {num_classes} prototypes')
    figure.legend(loc='outside lower center', fontsize='small')
    write_png(figure, path)


def plot_gram(centroids: Tensor, path: Path, what: str, names: Optional[Sequence[str]]) -> None:
    """Write the inner products of all pairs of K centroids as a heat map.

    Args:
        centroids: Shape (K, D), of unit length.
        path: Where to write the PNG.
        what: What they are, for the title.
        names: K names for the axes; None for the classes' numbers.
    """
    import seaborn

    num_classes, dim = centroids.shape
    shown = names if names is not None and num_classes <= 30 else None
    side = 4.6 if num_classes <= 12 else 5.6
    side += 0.1 * max(map(len, shown or ['']))  # inches for the names
    figure, axes = new_axes(side + 0.8, side)
    seaborn.heatmap(
        (centroids @ centroids.T).numpy(),
        vmin=-1,
        vmax=1,
        cmap='vlag',
        square=True,
        annot=num_classes <= 12,
        fmt='.2f',
        annot_kws=dict(fontsize=7),
        xticklabels=shown or 'auto',
        yticklabels=shown or 'auto',
        cbar_kws=dict(label='cosine'),
        ax=axes,
    )
    axes.grid(False)
    axes.set(xlabel='class', ylabel='class')
    figure.suptitle(f'{what}\n{num_classes} classes, {dim} dimensions'.strip(), fontsize='medium')
    write_png(figure, path)

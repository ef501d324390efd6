"""Pictures and numbers of a trained model's features: their cosines, class means, and a map in two dimensions."""

import importlib.util
from pathlib import Path
from typing import NamedTuple, Optional

import torch
from mmengine.runner import Runner
from torch import Tensor

from mmpod.engine.extraction import extracted, ordered_loader, plain_model, training_set
from mmpod.functional import class_moments, neural_collapse, normalize_rows, target_and_nontarget_cosines
from mmpod.functional.geometry import centred_class_means
from mmpod.models.features import head_prototypes, stage_features
from mmpod.visualization.geometry_figures import plot_cosines, plot_embedding, plot_gram

__all__ = ['METHODS', 'Features', 'collect_features', 'draw_geometry', 'require_method']

# The package that each needs, and how to get it.
METHODS = {
    'tsne': ('sklearn', 'pip install scikit-learn'),
    'umap': ('umap', 'pip install umap-learn'),
    'pca': ('torch', 'pip install torch'),
}


class Features(NamedTuple):
    """What the head of a model sees of a dataset.

    Attributes:
        features: Unit-length ``pre_logits`` features, shape (N, D), float64.
        labels: Shape (N,), int64.
        prototypes: What the head compares them with, of any length, shape (K, D), float64; None where there are none.
        names: The K classes.
    """

    features: Tensor
    labels: Tensor
    prototypes: Optional[Tensor]
    names: list[str]


def require_method(method: str) -> None:
    """Refuse a method whose package is not installed.

    Raises:
        ModuleNotFoundError: It is not.
    """
    package, remedy = METHODS[method]
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(
            f'Expected the package `{package}` for --method {method}, but it is not installed. Install it: {remedy}; '
            'or take another of ' + ', '.join(other for other in METHODS if other != method) + '.'
        )


def collect_features(runner: Runner, split: str) -> Features:
    """Return the features of a loaded model, without augmentation.

    Args:
        runner: With the weights loaded.
        split: ``'test'``, the dataset of ``test_dataloader``, or ``'train'``, that of ``train_dataloader``.

    Raises:
        ValueError: There are no vectors, or features with NaN.
    """
    model, _ = plain_model(runner.model)
    dataset = runner.cfg.test_dataloader.dataset if split == 'test' else training_set(runner)
    loader = ordered_loader(runner, dataset)
    head = model.head
    batches = extracted(
        runner, model, loader, lambda feats: stage_features(head, feats, 'pre_logits'), f'Features ({split})'
    )
    parts = [(features.double().cpu(), labels.cpu()) for features, labels in batches]
    features, labels = (torch.cat(part) for part in zip(*parts))
    if not torch.isfinite(features).all():
        raise ValueError('Expected finite features, but got NaN or infinity: the model has diverged.')
    prototypes = head_prototypes(head)
    names = (loader.dataset.metainfo.get('classes') if hasattr(loader.dataset, 'metainfo') else None) or ()
    if len(names) != head.num_classes:
        names = range(head.num_classes)
    return Features(
        normalize_rows(features),
        labels,
        None if prototypes is None else prototypes.double().cpu(),
        [str(name) for name in names],
    )


def draw_geometry(data: Features, folder: Path, method: str = 'tsne', max_samples: int = 2000, seed: int = 0) -> dict:
    """Write the pictures into a folder, and return the numbers of ``mmpod.FeatureGeometry``.

    - ``gram.png``: inner products of the prototypes; ``means.png``: cosines of the centred class means;
    - ``cosines.png``: histograms of the cosines to the own and to the nearest other prototype;
    - ``embedding.png``: a map of the features and the prototypes; where there are more samples than ``max_samples``,
      ``seed`` chooses among them.

    What needs prototypes is left out where there are none.
    """
    features, labels, prototypes, names = data
    moments = class_moments(features, labels, len(names), by_class=False)
    numbers = {name: value.item() for name, value in neural_collapse(moments, prototypes).items()}
    if prototypes is not None:
        own, foreign = target_and_nontarget_cosines(features, labels, prototypes)
        numbers = dict(target_cosine=own.mean().item(), max_nontarget_cosine=foreign.mean().item(), **numbers)
        prototypes = normalize_rows(prototypes)
        plot_gram(prototypes, folder / 'gram.png', 'prototypes')
        plot_cosines(own, foreign, len(names), folder / 'cosines.png')
    if (moments.counts > 0).all():  # or the numbers of rows would not be those of classes
        plot_gram(normalize_rows(centred_class_means(moments)), folder / 'means.png', 'centred class means')
    chosen = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))[:max_samples].sort().values
    points, stars = embed(features[chosen], prototypes, method, seed)
    title = f'{dict(tsne="t-SNE", umap="UMAP", pca="PCA")[method]} of {len(chosen)} features' + (
        ' and the prototypes (stars)' if stars is not None else ''
    )
    plot_embedding(points, labels[chosen], stars, names, title, folder / 'embedding.png')
    return numbers


def embed(
    features: Tensor, prototypes: Optional[Tensor], method: str, seed: int = 0
) -> tuple[Tensor, Optional[Tensor]]:
    """Return unit-length features and prototypes in two dimensions.

    t-SNE and UMAP, by the cosine, place both together; PCA takes the two directions in which the features vary most.

    Args:
        features: Shape (N, D), N >= 4.
        prototypes: Shape (K, D), or None.
        method: One of :data:`METHODS`.
        seed: Of t-SNE and UMAP.

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

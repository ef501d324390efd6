"""The datasets of the experiments: what they are called, how large they are, and which one a config's name means."""

from typing import NamedTuple

__all__ = ['PAPER', 'Dataset', 'dataset_of']


class Dataset(NamedTuple):
    """A dataset.

    Attributes:
        name: As the paper prints it.
        train, test: Images of each.
        side: Pixels of their sides.
    """

    name: str
    train: int
    test: int
    side: int


# By the key in the configs' names. ImageNet's subsets: 1,300 images a class at most.
PAPER = {
    'cifar10': Dataset('CIFAR-10', 50_000, 10_000, 32),
    'cifar100': Dataset('CIFAR-100', 50_000, 10_000, 32),
    'facescrub': Dataset('FaceScrub', 15_896, 3_896, 64),
    'tinyimagenet': Dataset('Tiny ImageNet', 100_000, 10_000, 64),
    **{f'imagenet{k}': Dataset(f'ImageNet({k})', 1_300 * k, 50 * k, 224) for k in (30, 100, 200, 500)},
    'imagenet': Dataset('ImageNet(1000)', 1_281_167, 50_000, 224),
}
SMALL = {
    'cifar10_10k': Dataset('CIFAR-10, 10,000 images', 10_000, 10_000, 32),
    'tinyimagenet20': Dataset('Tiny ImageNet, 20 classes', 10_000, 1_000, 64),
    'digits': Dataset('Digits', 1_297, 500, 8),
}


def dataset_of(config: str) -> Dataset:
    """Return the dataset of a config, ``<loss>_<backbone>_<dataset>[_<variant>]``.

    Example:
        >>> dataset_of('pod_resnet18w8_cifar10_10k_tuned').name
        'CIFAR-10, 10,000 images'
    """
    rest, known = config.split('_', 2)[2], {**PAPER, **SMALL}
    return known[max((key for key in known if rest == key or rest.startswith(f'{key}_')), key=len)]

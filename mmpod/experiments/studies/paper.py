"""The tables of arXiv 2111.15449 v1, with the config that reproduces each number."""

from collections.abc import Mapping

from mmpod.experiments.metrics import METRIC
from mmpod.experiments.studies.definitions import CHECKPOINT_OF, DATASETS, Base, Cell, Study, Table
from mmpod.utils.paths import CONFIGS

__all__ = ['BOTH_READINGS', 'PAPER', 'PAPER_TABLES']

# Every ResNet-50 config without overrides: those of the paper, and those of losses that are not in it.
PAPER = Study(
    'paper',
    "ResNet-50 at the paper's budget",
    {
        name: Base(name, source=f'paper/{CHECKPOINT_OF[name]}' if name in CHECKPOINT_OF else '')
        for name in sorted(path.stem for path in CONFIGS.glob('*.py'))
    },
)

# The possible meanings of the variance in Table IV.
BOTH_READINGS = ('spectrum/eigenvalue_variance_e8', 'spectrum/energy_variance_e8')


def by_dataset(losses: Mapping[str, str], **papers: tuple[float, float]) -> list[Cell]:
    """Return the accuracies of two losses, one row per dataset.

    Args:
        losses: The first word of the config's name, by column.
        papers: The paper's numbers by dataset, in the order of ``losses``.
    """
    return [
        Cell(DATASETS[key], column, f'paper/{loss}_resnet50_{key}', number, ('gda/top1' if loss == 'gda' else METRIC,))
        for key, numbers in papers.items()
        for (column, loss), number in zip(losses.items(), numbers)
    ]


PAPER_TABLES = {
    'I': Table(
        'Accuracy (%) of POD Loss on CIFAR-10 by feature dimension',
        [
            Cell(dim, 'Accuracy', 'paper/pod_resnet50_cifar10' + (f'_dim{dim}' if dim != '256' else ''), number)
            for dim, number in (
                *(('9', 92.71), ('32', 93.51), ('64', 93.77), ('128', 93.98), ('256', 94.31), ('512', 94.25)),
                ('1024', 93.82),
            )
        ],
        varied='feature dimension D',
    ),
    'III': Table(
        'Accuracy (%) of several losses on CIFAR-100 and FaceScrub',
        [
            Cell(row, DATASETS[key], f'paper/{loss}_resnet50_{key}', number)
            for row, loss, *numbers in (
                ('Softmax Loss', 'softmax', 73.80, 89.10),
                ('AM-Softmax Loss (s = 5, m = 0.25)', 'amsoftmax', 73.03, 91.67),
                ('COT', 'cot', 74.03, 90.40),
                ('PEDCC-Loss (s = 10, m = 0.5)', 'pedccloss', 75.58, 90.98),
                ('Cosine Loss', 'cosine', 76.23, 92.11),
            )
            for key, number in zip(('cifar100', 'facescrub'), numbers)
        ],
    ),
    'IV': Table(
        'Variance (1e-8) of the eigenvalues, or of the energy by dimension, of the pooled features; the paper does not '
        'say which, nor of which dataset: CIFAR-10 here',
        [
            Cell('Cosine Loss', 'Variance', 'paper/cosine_resnet50_cifar10', 1.82, BOTH_READINGS),
            Cell('POD Loss', 'Variance', 'paper/pod_resnet50_cifar10', 1.53, BOTH_READINGS),
        ],
    ),
    'V': Table(
        'Accuracy (%) of Cosine Loss and POD Loss',
        by_dataset(
            {'Cosine Loss': 'cosine', 'POD Loss': 'pod'},
            cifar10=(93.83, 94.31),
            cifar100=(76.23, 77.70),
            tinyimagenet=(62.01, 62.16),
            facescrub=(92.11, 93.01),
        ),
        varied='dataset',
    ),
    'VI': Table(
        'Accuracy (%) of Softmax and POD Loss',
        by_dataset(
            {'Softmax Loss': 'softmax', 'POD Loss': 'pod'},
            cifar10=(93.71, 94.31),
            cifar100=(75.56, 77.70),
            tinyimagenet=(60.29, 62.16),
            facescrub=(89.10, 93.01),
            imagenet30=(79.86, 85.40),
            imagenet100=(78.25, 82.06),
            imagenet200=(82.06, 83.08),
            imagenet500=(82.14, 82.24),
            imagenet=(75.65, 75.71),
        ),
        varied='dataset',
    ),
    'VII': Table(
        'Accuracy (%) of POD Loss by the cosine and by Gaussian discriminant analysis',
        by_dataset(
            {'Cosine distance': 'pod', 'Gaussian discriminant analysis': 'gda'},
            cifar10=(94.31, 94.23),
            cifar100=(77.70, 73.37),
            tinyimagenet=(62.16, 50.09),
        ),
        varied='dataset',
    ),
}

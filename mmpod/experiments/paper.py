"""The tables of arXiv 2111.15449 v1, each number with the config that measures it anew."""

from mmpod.experiments.catalogue import DATASETS, Base, Cell, Figure, Study, Table
from mmpod.experiments.run import METRIC
from mmpod.utils.paths import CONFIGS

__all__ = ['BOTH_READINGS', 'PAPER', 'PAPER_FIGURES', 'PAPER_TABLES']

# Every ResNet-50 config as it is: those of the paper, and the losses that it lacks.
PAPER = Study(
    'paper',
    "ResNet-50 at the paper's budget",
    {
        path.stem: Base(path.stem, source='paper/' + path.stem.replace('gda_', 'pod_') if 'gda_' in path.stem else '')
        for path in sorted(CONFIGS.glob('*.py'))
    },
)

# What Table IV may mean.
BOTH_READINGS = ('spectrum/eigenvalue_variance_e8', 'spectrum/energy_variance_e8')

# Classes and feature dimension of Table II, in the order of DATASETS.
SIZES = [(10, 256), (100, 512), (100, 512), (200, 512), (30, 256), (100, 512), (200, 512), (500, 1024), (1000, 2048)]

PAPER_TABLES = {
    'I': Table(
        'Accuracy (%) of POD Loss on CIFAR-10 by feature dimension',
        [
            Cell(dim, 'Accuracy', f'paper/pod_resnet50_cifar10{suffix}', paper)
            for dim, suffix, paper in (
                ('9', '_dim9', 92.71),
                ('32', '_dim32', 93.51),
                ('64', '_dim64', 93.77),
                ('128', '_dim128', 93.98),
                ('256', '', 94.31),
                ('512', '_dim512', 94.25),
                ('1024', '_dim1024', 93.82),
            )
        ],
        varied='feature dimension D',
    ),
    'II': Table(
        'Number of classes and feature dimension of each dataset',
        [
            Cell(DATASETS[key], column, f'paper/pod_resnet50_{key}', paper, key=setting)
            for key, sizes in zip(DATASETS, SIZES)
            for column, setting, paper in (
                ('Number of Classes', 'model.head.num_classes', sizes[0]),
                ('Feature Dimension', 'model.head.feat_dim', sizes[1]),
            )
        ],
        varied='dataset',
    ),
    'III': Table(
        'Accuracy (%) of several losses on CIFAR-100 and FaceScrub',
        [
            Cell(row, DATASETS[key], f'paper/{loss}_resnet50_{key}', paper)
            for row, loss, papers in (
                ('Softmax Loss', 'softmax', (73.80, 89.10)),
                ('AM-Softmax Loss (s = 5, m = 0.25)', 'amsoftmax', (73.03, 91.67)),
                ('COT', 'cot', (74.03, 90.40)),
                ('PEDCC-Loss (s = 10, m = 0.5)', 'pedccloss', (75.58, 90.98)),
                ('Cosine Loss', 'cosine', (76.23, 92.11)),
            )
            for key, paper in zip(('cifar100', 'facescrub'), papers)
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
        [
            Cell(DATASETS[key], column, f'paper/{loss}_resnet50_{key}', paper)
            for key, papers in (
                ('cifar10', (93.83, 94.31)),
                ('cifar100', (76.23, 77.70)),
                ('tinyimagenet', (62.01, 62.16)),
                ('facescrub', (92.11, 93.01)),
            )
            for column, loss, paper in zip(('Cosine Loss', 'POD Loss'), ('cosine', 'pod'), papers)
        ],
        varied='dataset',
    ),
    'VI': Table(
        'Accuracy (%) of Softmax and POD Loss',
        [
            Cell(DATASETS[key], column, f'paper/{loss}_resnet50_{key}', paper)
            for key, papers in (
                ('cifar10', (93.71, 94.31)),
                ('cifar100', (75.56, 77.70)),
                ('tinyimagenet', (60.29, 62.16)),
                ('facescrub', (89.10, 93.01)),
                ('imagenet30', (79.86, 85.40)),
                ('imagenet100', (78.25, 82.06)),
                ('imagenet200', (82.06, 83.08)),
                ('imagenet500', (82.14, 82.24)),
                ('imagenet', (75.65, 75.71)),
            )
            for column, loss, paper in zip(('Softmax Loss', 'POD Loss'), ('softmax', 'pod'), papers)
        ],
        varied='dataset',
    ),
    'VII': Table(
        'Accuracy (%) of POD Loss by the cosine and by Gaussian discriminant analysis',
        [
            Cell(DATASETS[key], column, f'paper/{loss}_resnet50_{key}', paper, metrics)
            for key, papers in (
                ('cifar10', (94.31, 94.23)),
                ('cifar100', (77.70, 73.37)),
                ('tinyimagenet', (62.16, 50.09)),
            )
            for column, loss, paper, metrics in zip(
                ('Cosine distance', 'Gaussian discriminant analysis'),
                ('pod', 'gda'),
                papers,
                ((METRIC,), ('gda/top1',)),
            )
        ],
        varied='dataset',
    ),
}

PAPER_FIGURES = {
    'fig3': Figure('Derivative of 1 - cos', 'derivative', power=1),
    'fig4': Figure('Derivative of (1 - cos)^2', 'derivative', power=2),
    'gram': Figure('Inner products of the centroids of CIFAR-10', 'gram'),
    'dimension': Figure('Accuracy by feature dimension', 'sweep', PAPER_TABLES['I'].cells, 'feature dimension D'),
}

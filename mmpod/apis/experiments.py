"""Every experiment of the paper and those that mmpod adds: the one table behind running, reporting, docs and tests."""

from typing import Optional

from .cells import Cell, Figure, Table
from .runs import METRIC

__all__ = ['CHECKPOINT_OF', 'DATASETS', 'FIGURES', 'TABLES', 'heading']


def _rows(column: str, rows: dict[str, tuple[str, Optional[float]]], **kwargs) -> list[Cell]:
    return [Cell(row, column, config, paper, **kwargs) for row, (config, paper) in rows.items()]


def _losses(setting: str, losses: dict[str, str]) -> dict[str, tuple[str, None]]:
    return {row: (loss.replace('*', setting), None) for row, loss in losses.items()}


DATASETS = {
    'cifar10': 'CIFAR-10',
    'cifar100': 'CIFAR-100',
    'facescrub': 'FaceScrub',
    'tinyimagenet': 'Tiny ImageNet',
    'imagenet30': 'ImageNet(30)',
    'imagenet100': 'ImageNet(100)',
    'imagenet200': 'ImageNet(200)',
    'imagenet500': 'ImageNet(500)',
    'imagenet': 'ImageNet(1000)',
}
SIZES = [(10, 256), (100, 512), (100, 512), (200, 512), (30, 256), (100, 512), (200, 512), (500, 1024), (1000, 2048)]
BOTH_READINGS = ('spectrum/eigenvalue_variance_e8', 'spectrum/energy_variance_e8')
# Beside those of Table III and V; the star stands for backbone and dataset.
MORE_LOSSES = {
    'Softmax': 'softmax_*',
    'L-Softmax': 'lsoftmax_*',
    'A-Softmax': 'asoftmax_*',
    'AM-Softmax (s = 5, m = 0.25)': 'amsoftmax_*',
    'AM-Softmax (s = 30, m = 0.35)': 'amsoftmax_*_s30',
    'Center Loss': 'center_*',
    'COT': 'cot_*',
    'PEDCC-Loss (s = 10, m = 0.5)': 'pedccloss_*',
    'PEDCC-MSE': 'pedccmse_*',
    'Cosine Loss': 'cosine_*',
    'POD Loss': 'pod_*',
    'POD Loss, norm-adaptive': 'pod_*_normadaptive',
    "POD Loss with Barlow Twins' term": 'pod_*_barlow',
    "POD Loss with VICReg's term": 'pod_*_vicreg',
}
GDA = 'POD Loss, Gaussian discriminant analysis'
NOT_ON_CIFAR100 = ('pedccmse_*', 'pod_*_')

TABLES = {
    'I': Table(
        'Accuracy (%) of POD Loss on CIFAR-10 by feature dimension',
        _rows(
            'Accuracy',
            {
                '9': ('pod_resnet50_cifar10_dim9', 92.71),
                '32': ('pod_resnet50_cifar10_dim32', 93.51),
                '64': ('pod_resnet50_cifar10_dim64', 93.77),
                '128': ('pod_resnet50_cifar10_dim128', 93.98),
                '256': ('pod_resnet50_cifar10', 94.31),
                '512': ('pod_resnet50_cifar10_dim512', 94.25),
                '1024': ('pod_resnet50_cifar10_dim1024', 93.82),
            },
        ),
    ),
    'II': Table(
        'Number of classes and feature dimension of each dataset',
        [
            Cell(name, column, f'pod_resnet50_{key}', paper, metrics=(), setting=setting)
            for (key, name), sizes in zip(DATASETS.items(), SIZES)
            for column, setting, paper in (
                ('Number of Classes', 'model.head.num_classes', sizes[0]),
                ('Feature Dimension', 'model.head.feat_dim', sizes[1]),
            )
        ],
    ),
    'III': Table(
        'Accuracy (%) of several losses on CIFAR-100 and FaceScrub',
        [
            Cell(row, DATASETS[key], f'{loss}_resnet50_{key}', paper)
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
        _rows(
            'Variance',
            {'Cosine Loss': ('cosine_resnet50_cifar10', 1.82), 'POD Loss': ('pod_resnet50_cifar10', 1.53)},
            metrics=BOTH_READINGS,
        ),
    ),
    'V': Table(
        'Accuracy (%) of Cosine Loss and POD Loss',
        [
            Cell(DATASETS[key], column, f'{loss}_resnet50_{key}', paper)
            for key, papers in (
                ('cifar10', (93.83, 94.31)),
                ('cifar100', (76.23, 77.70)),
                ('tinyimagenet', (62.01, 62.16)),
                ('facescrub', (92.11, 93.01)),
            )
            for column, loss, paper in zip(('Cosine Loss', 'POD Loss'), ('cosine', 'pod'), papers)
        ],
    ),
    'VI': Table(
        'Accuracy (%) of Softmax and POD Loss',
        [
            Cell(DATASETS[key], column, f'{loss}_resnet50_{key}', paper)
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
    ),
    'VII': Table(
        'Accuracy (%) of POD Loss by the cosine and by Gaussian discriminant analysis',
        [
            Cell(DATASETS[key], column, f'{loss}_resnet50_{key}', paper, metrics)
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
    ),
    'lambda': Table(
        'Accuracy (%) of POD Loss on CIFAR-10 by the weight of the SC term, lambda of Eq. 16',
        _rows(
            'Accuracy',
            {
                '0': ('cosine_resnet50_cifar10', None),
                '1/(D-1)': ('pod_resnet50_cifar10_sc1d', None),
                '0.01': ('pod_resnet50_cifar10_sc001', None),
                '0.1': ('pod_resnet50_cifar10_sc01', None),
                '1': ('pod_resnet50_cifar10', None),
                '10': ('pod_resnet50_cifar10_sc10', None),
            },
        ),
    ),
    'losses': Table(
        'Accuracy (%) of every loss',
        [
            *_rows('CIFAR-10', _losses('resnet50_cifar10', MORE_LOSSES)),
            *_rows(
                'CIFAR-100',
                _losses(
                    'resnet50_cifar100',
                    {row: loss for row, loss in MORE_LOSSES.items() if not loss.startswith(NOT_ON_CIFAR100)},
                ),
            ),
            Cell('AM-Softmax (s = 30, m = 0.35)', 'FaceScrub', 'amsoftmax_resnet50_facescrub_s30'),
            Cell("POD Loss, the released code's recipe", 'CIFAR-10', 'pod_resnet50_cifar10_released'),
        ],
    ),
    'small': Table(
        'Accuracy (%) of a narrow ResNet-18 after 15 epochs on 10,000 images: no experiment of the paper',
        [
            *_rows('CIFAR-10, 10,000 images', _losses('resnet18w8_cifar10_10k', MORE_LOSSES)),
            Cell(GDA, 'CIFAR-10, 10,000 images', 'gda_resnet18w8_cifar10_10k', metrics=('gda/top1',)),
            *_rows(
                'Tiny ImageNet, 20 classes',
                _losses(
                    'resnet18w8_tinyimagenet20',
                    {row: MORE_LOSSES[row] for row in ('Softmax', 'Cosine Loss', 'POD Loss')},
                ),
            ),
        ],
    ),
    'small_lambda': Table(
        'Accuracy (%) of POD Loss on 10,000 images of CIFAR-10 by lambda, as in the table small',
        _rows(
            'Accuracy',
            {
                '0': ('cosine_resnet18w8_cifar10_10k', None),
                '1/(D-1)': ('pod_resnet18w8_cifar10_10k_sc1d', None),
                '0.01': ('pod_resnet18w8_cifar10_10k_sc001', None),
                '0.1': ('pod_resnet18w8_cifar10_10k_sc01', None),
                '1': ('pod_resnet18w8_cifar10_10k', None),
                '10': ('pod_resnet18w8_cifar10_10k_sc10', None),
            },
        ),
    ),
    'small_dimension': Table(
        'Accuracy (%) of POD Loss on 10,000 images of CIFAR-10 by feature dimension, as in the table small',
        _rows(
            'Accuracy',
            {
                '9': ('pod_resnet18w8_cifar10_10k_dim9', None),
                '32': ('pod_resnet18w8_cifar10_10k_dim32', None),
                '64': ('pod_resnet18w8_cifar10_10k_dim64', None),
                '128': ('pod_resnet18w8_cifar10_10k_dim128', None),
                '256': ('pod_resnet18w8_cifar10_10k', None),
                '512': ('pod_resnet18w8_cifar10_10k_dim512', None),
                '1024': ('pod_resnet18w8_cifar10_10k_dim1024', None),
            },
        ),
    ),
    'small_40epochs': Table(
        'Accuracy (%) on 10,000 images of CIFAR-10 after 40 epochs, otherwise as in the table small',
        _rows(
            'Accuracy',
            {
                'Softmax': ('softmax_resnet18w8_cifar10_10k_40epochs', None),
                'Cosine Loss': ('cosine_resnet18w8_cifar10_10k_40epochs', None),
                'POD Loss': ('pod_resnet18w8_cifar10_10k_40epochs', None),
            },
        ),
    ),
    'small_tuned': Table(
        'Accuracy (%) on 10,000 images of CIFAR-10 with the best of six learning rates and loss weights for each loss, '
        'otherwise as in the table small',
        _rows(
            'Accuracy',
            _losses(
                'resnet18w8_cifar10_10k',
                {
                    'Softmax': 'softmax_*_tuned',
                    'AM-Softmax (s = 5, m = 0.25)': 'amsoftmax_*_tuned',
                    'PEDCC-Loss (s = 10, m = 0.5)': 'pedccloss_*_tuned',
                    'Cosine Loss': 'cosine_*_tuned',
                    'POD Loss': 'pod_*_tuned',
                    'POD Loss, norm-adaptive': 'pod_*_normadaptive_tuned',
                },
            ),
        ),
    ),
    'digits': Table(
        "Accuracy (%) of a narrow ResNet-18 on scikit-learn's handwritten digits: no experiment of the paper",
        [
            *_rows('Digits', _losses('resnet18w8_digits', {row: MORE_LOSSES[row] for row in ('Softmax', 'POD Loss')})),
            Cell(GDA, 'Digits', 'gda_resnet18w8_digits', metrics=('gda/top1',)),
        ],
    ),
}

# The paper does not say which dataset Fig. 5 and 6 show; CIFAR-100 is the first of Table III.
FIGURES = {
    'fig3': Figure('Derivative of 1 - cos', 'derivative', power=1),
    'fig4': Figure('Derivative of (1 - cos)^2', 'derivative', power=2),
    'fig5': Figure(
        'Accuracy by epoch of AM-Softmax, PEDCC-Loss and Cosine Loss on CIFAR-100',
        'curves',
        ('amsoftmax_resnet50_cifar100', 'pedccloss_resnet50_cifar100', 'cosine_resnet50_cifar100'),
    ),
    'fig6': Figure(
        'Accuracy by epoch of Softmax and POD Loss on CIFAR-100',
        'curves',
        ('softmax_resnet50_cifar100', 'pod_resnet50_cifar100'),
    ),
    'gram': Figure('Inner products of the centroids of CIFAR-10', 'gram', ('pod_resnet50_cifar10',)),
    'dimension': Figure('Accuracy by feature dimension', 'sweep', table='I', varied='feature dimension D'),
    'sc_weight': Figure(
        'Accuracy by the weight of the SC term', 'sweep', table='lambda', varied='weight of the SC term, lambda'
    ),
    'curves_small': Figure(
        'Accuracy by epoch of a narrow ResNet-18 on 10,000 images of CIFAR-10',
        'curves',
        tuple(loss.replace('*', 'resnet18w8_cifar10_10k') for loss in MORE_LOSSES.values()),
    ),
    'sc_weight_small': Figure(
        'Accuracy of a narrow ResNet-18 by the weight of the SC term',
        'sweep',
        table='small_lambda',
        varied='weight of the SC term, lambda',
    ),
    'dimension_small': Figure(
        'Accuracy of a narrow ResNet-18 by feature dimension',
        'sweep',
        table='small_dimension',
        varied='feature dimension D',
    ),
    'curves_tiny': Figure(
        'Accuracy by epoch of a narrow ResNet-18 on 20 classes of Tiny ImageNet',
        'curves',
        tuple(f'{loss}_resnet18w8_tinyimagenet20' for loss in ('softmax', 'cosine', 'pod')),
    ),
}

# Evaluations: they train nothing, and read the last checkpoint of another run of the same seed.
CHECKPOINT_OF = {
    f'gda_{setting}': f'pod_{setting}'
    for setting in (
        *(f'resnet50_{key}' for key in ('cifar10', 'cifar100', 'tinyimagenet')),
        *(f'resnet18w8_{key}' for key in ('cifar10_10k', 'digits')),
    )
}


def heading(table: str) -> str:
    """Return how a table is called, with its title."""
    return f'{"Table " if set(table) <= set("IV") else ""}{table}: {TABLES[table].title}'

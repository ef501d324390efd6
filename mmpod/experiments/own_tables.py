"""The comparisons and sweeps that the paper lacks: every loss, lambda, and the small scale for a CPU."""

from typing import Optional

from mmpod.experiments.cells import BOTH_READINGS, Cell, Table, rows

__all__ = ['MORE_LOSSES', 'OWN_TABLES', 'SMALL', 'TINY']

# The star stands for backbone and dataset.
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
TUNED_LOSSES = {row: f'{loss}_tuned' for row, loss in MORE_LOSSES.items()}
# For these the trials on Tiny ImageNet chose what the untuned configs have.
UNTUNED_IS_BEST = {row: MORE_LOSSES[row] for row in ('L-Softmax', 'Center Loss', 'PEDCC-Loss (s = 10, m = 0.5)')}
SMALL, TINY = 'resnet18w8_cifar10_10k', 'resnet18w8_tinyimagenet20'
GDA = 'POD Loss, Gaussian discriminant analysis'
NOT_ON_CIFAR100 = ('pedccmse_*', 'pod_*_')
LAMBDA = 'weight of the SC term, lambda'
DIMENSION = 'feature dimension D'
CLASSIFIER = 'classified by'
SPECTRUM = (*BOTH_READINGS, 'spectrum/effective_rank')


def losses(setting: str, names: dict[str, str]) -> dict[str, tuple[str, Optional[float]]]:
    """Return the rows of losses in one setting, ``<backbone>_<dataset>``."""
    return {row: (loss.replace('*', setting), None) for row, loss in names.items()}


def accuracies(setting: str, names: dict[str, str]) -> list[Cell]:
    """Return one column of accuracies in one setting."""
    return rows('Accuracy', losses(setting, names))


def by_lambda(setting: str) -> list[Cell]:
    """Return the sweep of lambda in one setting."""
    names = {'0': 'cosine_*', '1/(D-1)': 'pod_*_sc1d', '0.01': 'pod_*_sc001', '0.1': 'pod_*_sc01'}
    return accuracies(setting, {**names, '1': 'pod_*', '10': 'pod_*_sc10'})


def by_dimension(setting: str, least: int) -> list[Cell]:
    """Return the sweep of the feature dimension, from the least that the centroids fit into; 256 has no suffix."""
    dims = (least, 32, 64, 128, 256, 512, 1024)
    return accuracies(setting, {str(dim): 'pod_*' if dim == 256 else f'pod_*_dim{dim}' for dim in dims})


def by_classifier(trained: str, gda: str) -> list[Cell]:
    """Return how the features of one training are classified: by the cosine, and by GDA of both kinds."""
    return [
        Cell('the cosine', 'Accuracy', trained),
        Cell('one covariance a class', 'Accuracy', gda, metrics=('gda/top1',)),
        Cell('one for all classes', 'Accuracy', f'{gda}_shared', metrics=('gda/top1',)),
    ]


OWN_TABLES = {
    'lambda': Table(
        'Accuracy (%) of POD Loss on CIFAR-10 by the weight of the SC term, lambda of Eq. 16',
        by_lambda('resnet50_cifar10'),
        LAMBDA,
    ),
    'losses': Table(
        'Accuracy (%) of every loss',
        [
            *rows('CIFAR-10', losses('resnet50_cifar10', MORE_LOSSES)),
            *rows(
                'CIFAR-100',
                losses(
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
            *rows('CIFAR-10, 10,000 images', losses(SMALL, MORE_LOSSES)),
            Cell(GDA, 'CIFAR-10, 10,000 images', 'gda_resnet18w8_cifar10_10k', metrics=('gda/top1',)),
            *rows('Tiny ImageNet, 20 classes', losses(TINY, MORE_LOSSES)),
        ],
    ),
    'small_lambda': Table(
        'Accuracy (%) of POD Loss on 10,000 images of CIFAR-10 by lambda, as in the table small',
        [*by_lambda(SMALL), *accuracies(SMALL, {'20': 'pod_*_sc20'})],
        LAMBDA,
    ),
    'tiny_lambda': Table(
        'Accuracy (%) of POD Loss on 20 classes of Tiny ImageNet by lambda, as in the table small',
        by_lambda(TINY),
        LAMBDA,
    ),
    'small_dimension': Table(
        'Accuracy (%) of POD Loss on 10,000 images of CIFAR-10 by feature dimension, as in the table small',
        by_dimension(SMALL, least=9),
        DIMENSION,
    ),
    'tiny_dimension': Table(
        'Accuracy (%) of POD Loss on 20 classes of Tiny ImageNet by feature dimension, as in the table small',
        by_dimension(TINY, least=19),
        DIMENSION,
    ),
    'small_40epochs': Table(
        'Accuracy (%) on 10,000 images of CIFAR-10 after 40 epochs, otherwise as in the table small',
        accuracies(
            SMALL,
            {'Softmax': 'softmax_*_40epochs', 'Cosine Loss': 'cosine_*_40epochs', 'POD Loss': 'pod_*_40epochs'},
        ),
    ),
    'small_tuned': Table(
        'Accuracy (%) on 10,000 images of CIFAR-10 with the best of six learning rates and loss weights for each loss, '
        'otherwise as in the table small',
        accuracies(SMALL, TUNED_LOSSES),
    ),
    'tiny_tuned': Table(
        'Accuracy (%) on 20 classes of Tiny ImageNet with the best of six learning rates and loss weights for each '
        'loss, otherwise as in the table small',
        accuracies(TINY, {**TUNED_LOSSES, **UNTUNED_IS_BEST}),
    ),
    'small_recipe': Table(
        'Accuracy (%) on 10,000 images of CIFAR-10 with warm-up and a cosine schedule, tuned by held-out images, '
        'otherwise as in the table small',
        accuracies(
            SMALL,
            {
                'Softmax': 'softmax_*_warmup_tuned',
                'Softmax with label smoothing': 'softmax_*_smoothed_tuned',
                'POD Loss': 'pod_*_warmup_tuned',
                'POD Loss with a batch norm': 'pod_*_bn_tuned',
                'POD Loss with a batch norm and label smoothing': 'pod_*_bn_smoothed_tuned',
                "POD Loss with VICReg's term and a batch norm": 'pod_*_recipe_tuned',
                "POD Loss with VICReg's term, a batch norm and label smoothing": 'pod_*_recipe_smoothed_tuned',
            },
        ),
    ),
    'tiny_recipe': Table(
        'Accuracy (%) on 20 classes of Tiny ImageNet with warm-up and a cosine schedule and the settings that were '
        'tuned on CIFAR-10, otherwise as in the table small',
        accuracies(
            TINY,
            {
                'Softmax': 'softmax_*_warmup',
                'Softmax with label smoothing': 'softmax_*_smoothed',
                'POD Loss': 'pod_*_warmup',
                'POD Loss with a batch norm': 'pod_*_bn',
                "POD Loss with VICReg's term and a batch norm": 'pod_*_recipe',
            },
        ),
    ),
    'small_recipe_40epochs': Table(
        'Accuracy (%) on 10,000 images of CIFAR-10 after 40 epochs, otherwise as in the table small_recipe',
        accuracies(
            SMALL,
            {
                'Softmax': 'softmax_*_warmup_40epochs',
                'POD Loss': 'pod_*_warmup_40epochs',
                "POD Loss with VICReg's term and a batch norm": 'pod_*_recipe_40epochs',
            },
        ),
    ),
    'small_spectrum': Table(
        'Spectrum of the pooled features (64 dimensions, unit length) on the test images, of the runs of small_tuned',
        rows('Spectrum', losses(SMALL, TUNED_LOSSES), metrics=SPECTRUM),
    ),
    'tiny_spectrum': Table(
        'Spectrum of the pooled features (64 dimensions, unit length) on the validation images of 20 classes of Tiny '
        'ImageNet, of the runs of the table small',
        rows('Spectrum', losses(TINY, MORE_LOSSES), metrics=SPECTRUM),
    ),
    'small_gda': Table(
        'Accuracy (%) of the features of POD Loss, tuned, by the cosine and by Gaussian discriminant analysis',
        by_classifier(f'pod_{SMALL}_tuned', f'gda_{SMALL}_tuned'),
        CLASSIFIER,
    ),
    'tiny_gda': Table(
        'Accuracy (%) of the features of POD Loss on 20 classes of Tiny ImageNet by the cosine and by Gaussian '
        'discriminant analysis',
        by_classifier(f'pod_{TINY}', f'gda_{TINY}'),
        CLASSIFIER,
    ),
    'digits': Table(
        "Accuracy (%) of a narrow ResNet-18 on scikit-learn's handwritten digits: no experiment of the paper",
        [
            *rows('Digits', losses('resnet18w8_digits', {row: MORE_LOSSES[row] for row in ('Softmax', 'POD Loss')})),
            Cell(GDA, 'Digits', 'gda_resnet18w8_digits', metrics=('gda/top1',)),
        ],
    ),
}

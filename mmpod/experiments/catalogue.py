"""Every experiment of the paper and those that mmpod adds: the one table behind running, reporting, docs and tests."""

from mmpod.experiments.cells import Figure
from mmpod.experiments.own_tables import MORE_LOSSES, OWN_TABLES, SMALL, TINY
from mmpod.experiments.paper import PAPER_TABLES

__all__ = ['CHECKPOINT_OF', 'FIGURES', 'TABLES', 'heading']

TABLES = {**PAPER_TABLES, **OWN_TABLES}

# The losses that Fig. 5 and 6 compare.
FIG_5 = ('AM-Softmax (s = 5, m = 0.25)', 'PEDCC-Loss (s = 10, m = 0.5)', 'Cosine Loss')
FIG_6 = ('Softmax', 'POD Loss')

# The paper does not say which dataset Fig. 5 and 6 show; CIFAR-100 is the first of Table III.
FIGURES = {
    'fig3': Figure('Derivative of 1 - cos', 'derivative', power=1),
    'fig4': Figure('Derivative of (1 - cos)^2', 'derivative', power=2),
    'fig5': Figure(
        'Accuracy by epoch of AM-Softmax, PEDCC-Loss and Cosine Loss on CIFAR-100',
        'curves',
        tuple(MORE_LOSSES[loss].replace('*', 'resnet50_cifar100') for loss in FIG_5),
    ),
    'fig6': Figure(
        'Accuracy by epoch of Softmax and POD Loss on CIFAR-100',
        'curves',
        tuple(MORE_LOSSES[loss].replace('*', 'resnet50_cifar100') for loss in FIG_6),
    ),
    **{
        f'fig{number}_{name}': Figure(
            f'Fig. {number} at small scale: a narrow ResNet-18 on {data}, tuned settings',
            'curves',
            tuple(cell.config for cell in TABLES[f'{name}_tuned'].cells if cell.row in losses),
        )
        for name, data in {'small': '10,000 images of CIFAR-10', 'tiny': '20 classes of Tiny ImageNet'}.items()
        for number, losses in ((5, FIG_5), (6, FIG_6))
    },
    'gram': Figure('Inner products of the centroids of CIFAR-10', 'gram', ('pod_resnet50_cifar10',)),
    'dimension': Figure('Accuracy by feature dimension', 'sweep', table='I'),
    'sc_weight': Figure('Accuracy by the weight of the SC term', 'sweep', table='lambda'),
    'curves_small': Figure(
        'Accuracy by epoch of a narrow ResNet-18 on 10,000 images of CIFAR-10',
        'curves',
        tuple(loss.replace('*', SMALL) for loss in MORE_LOSSES.values()),
    ),
    'sc_weight_small': Figure(
        'Accuracy of a narrow ResNet-18 by the weight of the SC term', 'sweep', table='small_lambda'
    ),
    'dimension_small': Figure('Accuracy of a narrow ResNet-18 by feature dimension', 'sweep', table='small_dimension'),
    'sc_weight_tiny': Figure(
        'Accuracy of a narrow ResNet-18 on 20 classes of Tiny ImageNet by the weight of the SC term',
        'sweep',
        table='tiny_lambda',
    ),
    'dimension_tiny': Figure(
        'Accuracy of a narrow ResNet-18 on 20 classes of Tiny ImageNet by feature dimension',
        'sweep',
        table='tiny_dimension',
    ),
    'curves_tiny': Figure(
        'Accuracy by epoch of a narrow ResNet-18 on 20 classes of Tiny ImageNet',
        'curves',
        tuple(loss.replace('*', TINY) for loss in MORE_LOSSES.values()),
    ),
}

# Evaluations: they train nothing, and read the last checkpoint of another run of the same seed.
CHECKPOINT_OF = {
    **{
        f'gda_{setting}': f'pod_{setting}'
        for setting in (
            *(f'resnet50_{key}' for key in ('cifar10', 'cifar100', 'tinyimagenet')),
            *(f'resnet18w8_{key}' for key in ('cifar10_10k', 'cifar10_10k_tuned', 'tinyimagenet20', 'digits')),
        )
    },
    'gda_resnet18w8_cifar10_10k_tuned_shared': 'pod_resnet18w8_cifar10_10k_tuned',
    'gda_resnet18w8_tinyimagenet20_shared': 'pod_resnet18w8_tinyimagenet20',
}


def heading(table: str) -> str:
    """Return how a table is called, with its title."""
    return f'{"Table " if set(table) <= set("IV") else ""}{table}: {TABLES[table].title}'

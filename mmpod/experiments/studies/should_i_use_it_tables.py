"""The tables and the figure of "Should I use it?"."""

from collections.abc import Mapping

from mmpod.experiments.metrics import METRIC
from mmpod.experiments.studies.definitions import Cell, Figure, Table
from mmpod.experiments.studies.should_i_use_it import METHODS, SIZES, WHEN_STUDIES

__all__ = ['WHEN_FIGURE', 'WHEN_TABLES']


def compared(rows: Mapping[str, str], metric: str = METRIC) -> list[Cell]:
    """Return the cells of all methods: for each row the settings, ``study/METHOD_point`` without the method."""
    return [
        Cell(row, label, where.replace('/', f'/{key}_').rstrip('_'), metrics=(metric,))
        for row, where in rows.items()
        for key, (label, _, _) in METHODS.items()
    ]


TRAINED = {
    '100': 'CIFAR-10, 100 per class',
    '1000': 'CIFAR-10, 1,000 per class',
    'tiny': 'Tiny ImageNet, 20 classes, 400 per class',
}
BALANCED = {
    **{f'{number} per class': f'when_size/{number}' for number in SIZES},
    **{f'Tiny ImageNet, {number} per class': f'when_size_tiny/{number}' for number in ('100', '500')},
}
IMBALANCED = {
    '400 per class': 'when_size/400',
    '400 to 40': 'when_imbalance/10',
    '400 to 4': 'when_imbalance/100',
}
NOISY = {
    '0 % wrong': 'when_size/1000',
    '20 % wrong': 'when_noise/0.2',
    '40 % wrong': 'when_noise/0.4',
}
BUDGETS = {
    '2,000': 'when_size/1000',
    '6,000': 'when_budget/6000',
    '18,000': 'when_budget/18000',
}
TRAINED_ON = {'(the 100 classes trained on)': 'when_classes/100'}
SCORES = {
    'max_probability': 'largest probability',
    'energy': 'energy',
    'max_cosine': 'largest cosine',
    'mahalanobis': 'Mahalanobis distance',
    'log_density': 'log-density',
}
RAREST = 'single-label/recall_classwise[-3:]'  # the classes are in the order of their numbers of images


def by_score(measure: str) -> list[Cell]:
    """Return how well each score tells known from unknown images."""
    return [
        cell
        for score, text in SCORES.items()
        for cell in compared({text: 'when_unknown/'}, f'open_set/{score}_{measure}')
    ]


def trial_cells() -> list[Cell]:
    """Return the trials: methods and training sets by learning rate and weight decay."""
    cells = []
    for setting in WHEN_STUDIES[0].settings.values():
        name, _, trials = setting.base.rpartition('_')
        tried = ', '.join(option.partition('=')[2] for option in setting.point.split(','))
        cells.append(Cell(f'{METHODS[name][0]}, {TRAINED[trials]}', tried, setting.key))
    return cells


def by_classifier(stage: str) -> list[Cell]:
    """Return how well each classifier learns other classes from few images, with the features of a stage."""
    classifiers = {'nearest_mean': 'nearest mean', 'linear_probe': 'linear probe'}
    return [
        cell
        for classifier, text in classifiers.items()
        for shot in (5, 20)
        for cell in compared(
            {f'{text}, {shot} images per class': 'when_transfer/'}, f'few_shot/{classifier}_{shot}_{stage}'
        )
    ]


def pivoted(title: str, cells: list[Cell], varied: str = 'training', lower_is_better: bool = False) -> Table:
    """Return a table with the cells' columns beside each other."""
    return Table(title, cells, varied, pivot=True, lower_is_better=lower_is_better)


WHEN_TABLES = {
    'when_tuning': pivoted(
        'Accuracy (%) of the trials on held-out images', trial_cells(), 'method; rate, weight decay'
    ),
    'when_size': pivoted('Accuracy (%) by images per class', compared(BALANCED)),
    'when_imbalance': pivoted('Accuracy (%) by imbalance, balanced test set', compared(IMBALANCED)),
    'when_rare': pivoted('Recall (%) of the three rarest classes', compared(IMBALANCED, RAREST)),
    'when_noise': pivoted('Accuracy (%) by share of wrong labels', compared(NOISY)),
    'when_budget': pivoted('Accuracy (%) by iterations, 1,000 images per class', compared(BUDGETS)),
    'when_auroc': pivoted('Unknown images: area under the ROC curve (%)', by_score('auroc'), 'score'),
    'when_fpr95': pivoted(
        'Unknown images: false positive rate (%) at 95 % true positives', by_score('fpr95'), 'score', True
    ),
    'when_transfer': pivoted(
        'Accuracy (%) on 100 other classes', [*compared(TRAINED_ON), *by_classifier('backbone')], 'classifier'
    ),
    'when_transfer_head': pivoted(
        "Accuracy (%) on 100 other classes, from the head's features", by_classifier('pre_logits'), 'classifier'
    ),
}
SHOWN = ('when_size', 'when_budget', 'when_imbalance', 'when_rare', 'when_noise', 'when_auroc', 'when_transfer')
WHEN_FIGURE = Figure(
    'Difference from Softmax',
    'differences',
    [cell for name in SHOWN for cell in WHEN_TABLES[name].cells],
    tables=SHOWN,
)

"""The studies behind "Should I use it?": Softmax, Cosine and POD Loss by data, budget, imbalance, noise and purpose.

Five methods on CIFAR-10 with the narrow ResNet-18, each with the rate and weight decay that its own five trials chose
on held-out training images; equal iterations for all; the test set is read once, after the last epoch.
"""

from collections.abc import Mapping, Sequence

from mmpod.experiments.catalogue import Base, Cell, Figure, Study, Table
from mmpod.experiments.loss_studies import DECAY, LAMBDA, RATE, held_out
from mmpod.experiments.run import METRIC

__all__ = ['WHEN_FIGURE', 'WHEN_STUDIES', 'WHEN_TABLES']

NORM = ('norm_cfg.type=BN1d', 'norm_cfg.affine=False')
PROJECTED = (
    *(f'model.neck.{option}' for option in ('type=mmpretrain.LinearNeck', 'gap_dim=2', 'act_cfg=None', *NORM)),
    *('model.neck.in_channels=64', 'model.neck.out_channels=256', 'model.head.in_channels=256'),
)
SOFTMAX, POD = 'small/softmax_cifar10_10k_warmup', 'small/pod_cifar10_10k_warmup'
# By name: what tables and figures call it, its config, and what it changes of the config.
METHODS: dict[str, tuple[str, str, Sequence[str]]] = {
    'softmax': ('Softmax', SOFTMAX, ()),
    'softmax_bn': ('Softmax, projection with batch norm', SOFTMAX, PROJECTED),
    'cosine': ('Cosine Loss', POD, (f'{LAMBDA}=0',)),
    'pod': ('POD Loss', POD, ()),
    'pod_bn': ('POD Loss with batch norm', POD, tuple(f'model.head.{option}' for option in NORM)),
}
BATCH, ITERATIONS = 64, 2000
RATES, FIRST_DECAY = [0.03, 0.1, 0.3], '1e-3'
UPWARD, DOWNWARD = [(1.0, '1e-3'), (0.3, '4e-3')], [(0.01, '1e-3'), (0.003, '1e-3')]
INSIDE = [(0.1, '2.5e-4'), (0.1, '4e-3')]
# By images per class, two more trials of each method: beyond an edge of RATES if the best was there, else other decays.
MORE_TRIALS = {
    100: {'softmax': UPWARD, 'softmax_bn': DOWNWARD, 'cosine': INSIDE, 'pod': UPWARD, 'pod_bn': UPWARD},
    1000: {'softmax': INSIDE, 'softmax_bn': DOWNWARD, 'cosine': UPWARD, 'pod': INSIDE, 'pod_bn': INSIDE},
}
# By images per class, the best trial of each method so far. For Softmax with 1,000 whole trials have chosen, for the
# others trials half as long, which favour weight decay: choose again when `when_tuning` is complete.
CHOSEN: dict[int, dict[str, tuple[float, str]]] = {
    100: {
        'softmax': (0.3, '1e-3'),
        'softmax_bn': (0.03, '1e-3'),
        'cosine': (0.1, '4e-3'),
        'pod': (0.3, '1e-3'),
        'pod_bn': (0.3, '1e-3'),
    },
    1000: {
        'softmax': (0.1, '1e-3'),
        'softmax_bn': (0.03, '1e-3'),
        'cosine': (0.3, '1e-3'),
        'pod': (0.1, '1e-3'),
        'pod_bn': (0.1, '1e-3'),
    },
}
PRELIMINARY = '; the learning rates and weight decays are not final'


def schedule(images: int, iterations: int) -> list[str]:
    """Return the overrides for about so many iterations: a warm-up of a thirteenth, then a half cosine down to 0."""
    epochs = round(iterations / -(-images // BATCH))
    warmup = max(1, round(epochs / 13))
    return [
        f'train_cfg.max_epochs={epochs}',
        f'train_cfg.val_interval={epochs}',
        f'default_hooks.checkpoint.interval={epochs}',
        f'param_scheduler.0.end={warmup}',
        f'param_scheduler.1.begin={warmup}',
        f'param_scheduler.1.end={epochs}',
        f'param_scheduler.1.T_max={epochs - warmup}',
    ]


def training(counts: Sequence[int], iterations: int = ITERATIONS) -> list[str]:
    """Return the overrides for a training with so many images of each class, validated on others."""
    number = str(counts[0]) if len(set(counts)) == 1 else f'[{",".join(map(str, counts))}]'
    recalled = ('type=mmpretrain.SingleLabelMetric', 'items=[recall]', 'average=None')
    return [
        'fast=True',
        f'train_dataloader.dataset.samples_per_class={number}',
        *schedule(sum(counts), iterations),
        *held_out(1000, 500),
        *(f'test_evaluator.1.{option}' for option in recalled),
    ]


def tuning() -> Study:
    """Return the five trials of each method, as long as the runs: shorter ones favour more weight decay."""
    bases = {}
    for number in CHOSEN:
        for name, (_, config, overrides) in METHODS.items():
            grid: list[dict[str, Sequence]] = [{RATE: RATES, DECAY: [FIRST_DECAY]}]
            grid += [{RATE: [rate], DECAY: [decay]} for rate, decay in MORE_TRIALS[number][name]]
            options = [*overrides, *training([number] * 10), *held_out(1000, 500, 'test_dataloader')]
            bases[f'{name}_{number}'] = Base(config, options, grid)
    return Study('when_tuning', 'trials of rate and weight decay on held-out images of CIFAR-10', bases, seeds=(0,))


def method(name: str, tuned_with: int, options: Sequence[str]) -> Base:
    """Return a method with what its trials with that many images per class chose."""
    _, config, overrides = METHODS[name]
    rate, decay = CHOSEN[tuned_with][name]
    return Base(config, (*overrides, *options, f'{RATE}={rate}', f'{DECAY}={decay}'))


def study(name: str, title: str, points: Mapping[str, tuple[int, Sequence[str]]]) -> Study:
    """Return a study of all methods at each point: the images per class of its trials, and its overrides."""
    bases = {f'{key}_{point}': method(key, *what) for key in METHODS for point, what in points.items()}
    return Study(name, f'{title} of CIFAR-10{PRELIMINARY}', bases)


def profile(factor: int) -> list[int]:
    """Return the images of each class from 400 down to 400 / ``factor``, an exponential profile."""
    return [round(400 * factor ** (-label / 9)) for label in range(10)]


def with_noise(share: str) -> list[str]:
    """Return a training on 1,000 images per class, of which a share has wrong labels."""
    return [*training([1000] * 10), f'train_dataloader.dataset.label_noise={share}']


def unknown() -> Study:
    """Return tests of the runs with 1,000 images per class against images of Tiny ImageNet, by five scores."""
    options = (
        'model.type=mmpod.GDAClassifier',
        'model.covariance=shared',
        'default_hooks.gda.type=mmpod.FitGDAHook',
        'default_hooks.open_set.type=mmpod.OpenSetHook',
        'default_hooks.open_set.unknown=data/tinyimagenet/val/images',
    )
    trained = [option for option in training([1000] * 10) if option != 'fast=True']
    bases = {
        name: method(name, 1000, [*trained, *options])._replace(source=f'when_size/{name}_1000') for name in METHODS
    }
    title = f'unknown images, of Tiny ImageNet, after training on 1,000 images per class{PRELIMINARY}'
    return Study('when_unknown', title, bases)


SIZES = {'25': 100, '100': 100, '400': 1000, '1000': 1000}
WHEN_STUDIES = [
    tuning(),
    study(
        'when_size',
        'images per class',
        {number: (tuned, training([int(number)] * 10)) for number, tuned in SIZES.items()},
    ),
    study(
        'when_imbalance',
        'imbalance, 400 images of the first class and so many times fewer of the last,',
        {str(factor): (100, training(profile(factor))) for factor in (10, 100)},
    ),
    study(
        'when_noise',
        'share of wrong labels, 1,000 images per class',
        {x: (1000, with_noise(x)) for x in ('0.2', '0.4')},
    ),
    study(
        'when_budget',
        'iterations, 1,000 images per class',
        {str(number): (1000, training([1000] * 10, number)) for number in (6000, 18000)},
    ),
    unknown(),
]


def compared(rows: Mapping[str, str], metric: str = METRIC) -> list[Cell]:
    """Return the cells of all methods: for each row the settings, ``study/METHOD_point`` without the method."""
    return [
        Cell(row, label, where.replace('/', f'/{key}_'), metrics=(metric,))
        for row, where in rows.items()
        for key, (label, _, _) in METHODS.items()
    ]


BALANCED = {f'{number} per class': f'when_size/{number}' for number in SIZES}
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
        Cell(text, label, f'when_unknown/{key}', metrics=(f'open_set/{score}_{measure}',))
        for score, text in SCORES.items()
        for key, (label, _, _) in METHODS.items()
    ]


def trial_cells() -> list[Cell]:
    """Return the trials: methods and images per class by rate and weight decay."""
    cells = []
    for setting in WHEN_STUDIES[0].settings.values():
        name, _, number = setting.base.rpartition('_')
        cells.append(Cell(f'{METHODS[name][0]}, {number} images per class', setting.point, setting.key))
    return cells


WHEN_CELLS = {
    'when_size': ('Accuracy (%) by images per class', compared(BALANCED)),
    'when_imbalance': ('Accuracy (%) by imbalance, balanced test set', compared(IMBALANCED)),
    'when_rare': ('Recall (%) of the three rarest classes', compared(IMBALANCED, RAREST)),
    'when_noise': ('Accuracy (%) by share of wrong labels', compared(NOISY)),
    'when_budget': ('Accuracy (%) by iterations, 1,000 images per class', compared(BUDGETS)),
    'when_auroc': ('Unknown images: area under the ROC curve (%)', by_score('auroc')),
    'when_fpr95': ('Unknown images: false positive rate (%) at 95 % true positives', by_score('fpr95')),
}
WHEN_TABLES = {
    'when_tuning': Table('Accuracy (%) of the trials on held-out images', trial_cells(), 'method', pivot=True),
    **{
        name: Table(
            title, cells, 'score' if 'Unknown' in title else 'training', True, lower_is_better=name == 'when_fpr95'
        )
        for name, (title, cells) in WHEN_CELLS.items()
    },
}
SHOWN = ('when_size', 'when_imbalance', 'when_rare', 'when_noise', 'when_budget', 'when_auroc')
WHEN_FIGURE = Figure(
    'Difference to Softmax',
    'differences',
    [cell for name in SHOWN for cell in WHEN_TABLES[name].cells],
    tables=SHOWN,
)

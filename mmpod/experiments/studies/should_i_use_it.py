"""The studies behind "Should I use it?": Softmax, Cosine and POD Loss by data, budget, imbalance, noise and purpose.

Five methods on CIFAR-10 and Tiny ImageNet with the narrow ResNet-18, each with the rate and weight decay that its own
trials chose on held-out training images, equally many for each method; equal iterations for all. The test set is read
after the last epoch only.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mmpod.experiments.studies.definitions import Base, Study
from mmpod.experiments.studies.small_scale import BATCH_NORM, DECAY, LAMBDA, PROJECTED, RATE, held_out

__all__ = ['METHODS', 'SIZES', 'WHEN_STUDIES']

# By name: what tables and figures call it, the loss in the name of its config, and what it changes of the config.
METHODS: dict[str, tuple[str, str, Sequence[str]]] = {
    'softmax': ('Softmax', 'softmax', ()),
    'softmax_bn': ('Softmax, projection with batch norm', 'softmax', PROJECTED),
    'cosine': ('Cosine Loss', 'pod', (f'{LAMBDA}=0',)),
    'pod': ('POD Loss', 'pod', ()),
    'pod_bn': ('POD Loss with a batch norm', 'pod', BATCH_NORM),
}
BATCH, ITERATIONS = 64, 2000
RATES, FIRST_DECAY = [0.03, 0.1, 0.3], '1e-3'
UPWARD, DOWNWARD = [(1.0, '1e-3'), (0.3, '4e-3')], [(0.01, '1e-3'), (0.003, '1e-3')]
INSIDE, AT_LOW_RATE = [(0.1, '2.5e-4'), (0.1, '4e-3')], [(0.03, '2.5e-4'), (0.03, '4e-3')]
ALIKE = [(0.03, '4e-3'), (0.1, '4e-3')]
FOLLOWED = {**dict.fromkeys(METHODS, [*UPWARD, *INSIDE]), 'softmax_bn': [*DOWNWARD, *AT_LOW_RATE]}


class Trials(NamedTuple):
    """Seven trials of rate and weight decay per method, and the best of each."""

    data: str  # in the names of configs
    images: int  # of each class, to train on
    held_out: tuple[int, int]  # of each class, how many training images to skip and then to judge by
    classes: int
    # Beyond an edge of RATES if the best was there, and other decays.
    more: Mapping[str, Sequence[tuple[float, str]]]
    chosen: Mapping[str, tuple[float, str]]


TRIALS = {
    '100': Trials(
        data='cifar10_10k',
        images=100,
        held_out=(1000, 500),
        classes=10,
        more=FOLLOWED,
        chosen={
            **dict.fromkeys(METHODS, (0.1, '4e-3')),
            'softmax_bn': (0.03, '4e-3'),
            'pod_bn': (0.3, FIRST_DECAY),
        },
    ),
    '1000': Trials(
        data='cifar10_10k',
        images=1000,
        held_out=(1000, 500),
        classes=10,
        more=FOLLOWED,
        chosen={**dict.fromkeys(METHODS, (0.1, FIRST_DECAY)), 'softmax_bn': (0.03, '4e-3')},
    ),
    'tiny': Trials(
        data='tiny20',
        images=400,
        held_out=(400, 100),
        classes=20,
        more={
            **dict.fromkeys(METHODS, [*ALIKE, (0.1, '2.5e-4'), (0.3, '2.5e-4')]),
            'softmax_bn': [*ALIKE, (0.01, '4e-3'), (0.03, '1.6e-2')],
        },
        chosen={
            **dict.fromkeys(METHODS, (0.1, FIRST_DECAY)),
            'softmax': (0.3, '2.5e-4'),
            'softmax_bn': (0.03, '4e-3'),
        },
    ),
}


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
    """Return the overrides for a training with so many images of each class, without validation in between."""
    number = str(counts[0]) if len(set(counts)) == 1 else f'[{",".join(map(str, counts))}]'
    return [
        'fast=True',
        f'train_dataloader.dataset.samples_per_class={number}',
        *schedule(sum(counts), iterations),
    ]


def on_cifar(counts: Sequence[int], iterations: int = ITERATIONS) -> list[str]:
    """Return the overrides for a training on CIFAR-10, validated on other training images, with recall by class."""
    recalled = ('type=mmpretrain.SingleLabelMetric', 'items=[recall]', 'average=None')
    return [
        *training(counts, iterations),
        *held_out(1000, 500),
        *(f'test_evaluator.1.{option}' for option in recalled),
    ]


def config_of(name: str, data: str) -> str:
    """Return the config of a method."""
    return f'small/{METHODS[name][1]}_{data}_warmup'


def tuning() -> Study:
    """Return the trials of each method, as long as the runs, because the best weight decay depends on the length."""
    bases = {}
    for key, trials in TRIALS.items():
        counts = [trials.images] * trials.classes
        trained = on_cifar(counts) if trials.classes == 10 else [*training(counts), *held_out(*trials.held_out)]
        judged = held_out(*trials.held_out, 'test_dataloader')
        for name, (_, _, overrides) in METHODS.items():
            grid: list[dict[str, Sequence]] = [{RATE: RATES, DECAY: [FIRST_DECAY]}]
            grid += [{RATE: [rate], DECAY: [decay]} for rate, decay in trials.more[name]]
            bases[f'{name}_{key}'] = Base(config_of(name, trials.data), [*overrides, *trained, *judged], grid)
    return Study('when_tuning', 'trials of rate and weight decay on held-out images', bases, seeds=(0,))


def method(name: str, tuned: str, options: Sequence[str], source: str = '', wide: bool = False) -> Base:
    """Return a method with what its trials of that key chose, if ``wide`` on a backbone of twice the width."""
    rate, decay = TRIALS[tuned].chosen[name]
    overrides = [*METHODS[name][2], *options, f'{RATE}={rate}', f'{DECAY}={decay}']
    if wide:
        overrides += [f'model.backbone.{layers}_channels=16' for layers in ('stem', 'base')]
        overrides += [f'model.{"neck" if METHODS[name][2] == PROJECTED else "head"}.in_channels=128']
    return Base(config_of(name, TRIALS[tuned].data), overrides, source=source)


def study(name: str, title: str, points: Mapping[str, tuple[str, Sequence[str]]], wide: bool = False) -> Study:
    """Return a study of all methods at each point: the key of its trials, and its overrides."""
    bases = {f'{key}_{point}': method(key, *what, wide=wide) for key in METHODS for point, what in points.items()}
    return Study(name, title, bases)


def tested(
    name: str, title: str, source: str, tuned: str, trained: Sequence[str], *options: str, wide: bool = False
) -> Study:
    """Return tests of the runs of all methods, ``study/METHOD_point`` without the method, by an additional hook."""
    options = (*(option for option in trained if option != 'fast=True'), *options)
    bases = {key: method(key, tuned, options, source.replace('/', f'/{key}_'), wide) for key in METHODS}
    return Study(name, title, bases)


def profile(factor: int) -> list[int]:
    """Return the images of each class from 400 down to 400 / ``factor``, an exponential profile."""
    return [round(400 * factor ** (-label / 9)) for label in range(10)]


def with_noise(share: str) -> list[str]:
    """Return a training on 1,000 images per class, of which a share has wrong labels."""
    return [*on_cifar([1000] * 10), f'train_dataloader.dataset.label_noise={share}']


def classes_100() -> list[str]:
    """Return a training on the first 100 classes of Tiny ImageNet, three times as long as the others.

    It needs the wide backbone: projections of 64 channels cannot reach 100 centroids, which span 99 dimensions.
    """
    loaders = (f'{loader}_dataloader.dataset.num_classes=100' for loader in ('train', 'val', 'test'))
    return [
        *training([500] * 100, 3 * ITERATIONS),
        *loaders,
        'model.head.num_classes=100',
        'data_preprocessor.num_classes=100',
    ]


SIZES = {'25': '100', '100': '100', '400': '1000', '1000': '1000'}
GDA = ('model.type=mmpod.GDAClassifier', 'model.covariance=shared', 'default_hooks.gda.type=mmpod.FitGDAHook')
UNKNOWN = (
    'default_hooks.open_set.type=mmpod.OpenSetHook',
    'default_hooks.open_set.unknown=data/tinyimagenet/val/images',
)
FEW_SHOT = ('type=mmpod.FewShotHook', 'support.split=train', 'support.samples_per_class=60', 'query.split=val')
OTHER_CLASSES = tuple(
    f'default_hooks.few_shot.{option}'
    for option in (*FEW_SHOT, *(f'{part}.skip_classes=100' for part in ('support', 'query')))
)
WHEN_STUDIES = [
    tuning(),
    study(
        'when_size',
        'images per class of CIFAR-10',
        {number: (tuned, on_cifar([int(number)] * 10)) for number, tuned in SIZES.items()},
    ),
    study(
        'when_size_tiny',
        'images per class of 20 classes of Tiny ImageNet',
        {number: ('tiny', training([int(number)] * 20)) for number in ('100', '500')},
    ),
    study(
        'when_imbalance',
        'imbalance, 400 images of the first class and so many times fewer of the last, of CIFAR-10',
        {str(factor): ('100', on_cifar(profile(factor))) for factor in (10, 100)},
    ),
    study(
        'when_noise',
        'share of wrong labels, 1,000 images per class of CIFAR-10',
        {x: ('1000', with_noise(x)) for x in ('0.2', '0.4')},
    ),
    study(
        'when_budget',
        'iterations, 1,000 images per class of CIFAR-10',
        {str(number): ('1000', on_cifar([1000] * 10, number)) for number in (6000, 18000)},
    ),
    study('when_classes', '100 classes of Tiny ImageNet, 500 images each', {'100': ('tiny', classes_100())}, wide=True),
    tested(
        'when_unknown',
        'unknown images, of Tiny ImageNet, after training on 1,000 images per class of CIFAR-10',
        'when_size/1000',
        '1000',
        on_cifar([1000] * 10),
        *GDA,
        *UNKNOWN,
    ),
    tested(
        'when_transfer',
        '100 classes of Tiny ImageNet from few images each, after training on 100 others',
        'when_classes/100',
        'tiny',
        classes_100(),
        *OTHER_CLASSES,
        wide=True,
    ),
]

"""Searches of hyperparameters: short trials of every loss, and what was tried for a better recipe."""

from collections.abc import Sequence

from mmpod.experiments.catalogue import Base, Study
from mmpod.experiments.small_tier import (
    CHANNELS_LAST,
    DECAY,
    DIMENSION,
    FAST,
    IMAGES,
    LABEL_SMOOTH_LOSS,
    LAMBDA,
    LONGER_COSINE,
    RATE,
    SMOOTHING,
    WEIGHT,
    changed,
    losses,
    recipe,
)

__all__ = ['recipe_tuning', 'tuning']


def held_out(train: int, val: int) -> tuple[str, ...]:
    """Return the overrides that validate on training images, of each class those after the first ``train``."""
    of_val = ('split=train', f'skip_per_class={train}', f'samples_per_class={val}')
    return tuple(f'val_dataloader.dataset.{option}' for option in of_val)


# Gamma and schedule of a trial.
SHORT = {
    'small': (
        {'lsoftmax': '5.1e-4', 'asoftmax': 0.36},
        (
            'train_cfg.max_epochs=5',
            'param_scheduler.milestones=[3,4]',
            'train_cfg.val_interval=5',
            *held_out(1000, 500),
            *CHANNELS_LAST,
        ),
    ),
    'tiny': (
        {'lsoftmax': '3.2e-4', 'asoftmax': 0.226},
        (
            'train_cfg.max_epochs=10',
            'param_scheduler.milestones=[6,9]',
            'train_cfg.val_interval=10',
            'train_dataloader.dataset.samples_per_class=400',
            *held_out(400, 100),
            *FAST,
        ),
    ),
}


def tuning(tier: str) -> Study:
    """Return the six trials of every loss; L- and A-Softmax with another gamma, as a trial is shorter than a run."""
    bases, (gammas, options) = losses(tier), SHORT[tier]
    for name, gamma in gammas.items():
        bases[name] = changed(bases[name], f'model.head.loss.gamma={gamma}')
    grid: dict[str, Sequence] = {RATE: [0.03, 0.1, 0.3], WEIGHT: [1, 5]}
    title = f'trials of rate and loss weight for every loss, {IMAGES[tier]}, on held-out training images'
    bases = {name: base._replace(grid=grid) for name, base in bases.items()}
    return Study(f'{tier}_tuning', title, bases, options, seeds=(0,))


def points(*words: str, keys: Sequence[str] = (RATE, WEIGHT, DECAY)) -> list[dict[str, list[str]]]:
    """Return single points of a grid: the values of ``keys``, by spaces."""
    return [{key: [value] for key, value in zip(keys, word.split())} for word in words]


# What was tried for a better recipe. The first trials had configs of their own, which the shipped ones replace here.
_SOFTMAX, _POD, _BN, _VICREG = (
    recipe('cifar10_10k')[name].config for name in ('softmax', 'pod', 'pod_bn', 'pod_vicreg_bn')
)
_MORE = points(
    '0.2 2 5e-4 0.3',
    '0.2 2 5e-4 3',
    '0.2 2 5e-4 10',
    '0.1 2 1e-3 1',
    '0.1 2 2e-3 1',
    '0.2 2 1e-3 1',
    keys=(RATE, WEIGHT, DECAY, LAMBDA),
)
RECIPE_TRIALS = {
    'softmax': Base(
        _SOFTMAX, (), points('0.1 1 5e-4', '0.03 5 5e-4', '0.2 1 5e-4', '0.1 1 1e-3', '0.1 2 1e-3', '0.1 1 2e-3')
    ),
    'softmax_bn': Base('', (), points('0.1 1 5e-4')),
    'softmax_label_smoothing': Base(
        _SOFTMAX,
        LABEL_SMOOTH_LOSS,
        {RATE: [0.1, 0.2], DECAY: ['1e-3', '2e-3']},
    ),
    'softmax_projected_bn': Base(
        _SOFTMAX,
        (
            'model.neck.type=mmpretrain.LinearNeck',
            'model.neck.gap_dim=2',
            'model.neck.in_channels=64',
            'model.neck.out_channels=256',
            'model.neck.norm_cfg.type=BN1d',
            'model.neck.norm_cfg.affine=False',
            'model.neck.act_cfg=None',
            'model.head.in_channels=256',
        ),
        {RATE: [0.03, 0.01], DECAY: ['1e-3', '2e-3']},
    ),
    'pod': Base(_POD, (), points('0.1 1 5e-4', '0.1 2 5e-4', '0.03 5 5e-4', '0.1 2 1e-3', '0.1 5 1e-3', '0.1 2 2e-3')),
    'pod_normadaptive': Base('', (), points('0.1 2 5e-4')),
    'pod_dim64': Base(_POD, (f'{DIMENSION}=64',), points('0.1 2 5e-4')),
    'pod_dim9': Base(_POD, (f'{DIMENSION}=9',), points('0.1 2 5e-4')),
    'pod_vicreg': Base(_VICREG, ('model.head.norm_cfg=None',), points('0.1 2 5e-4')),
    'pod_bn': Base(_BN, (), points('0.1 2 5e-4', '0.1 5 5e-4', '0.2 2 5e-4')),
    'pod_bn_repeated': Base(_BN, (), {RATE: [0.2]}),
    'pod_bn_smoothed': Base(_BN, (), {RATE: [0.2], SMOOTHING: [0.1]}),
    'pod_bn_more': Base(_VICREG, ('model.head.loss.decorrelation=sc',), _MORE),
    'pod_vicreg_bn': Base(
        _VICREG, (), points('0.1 2 5e-4', '0.1 5 5e-4', '0.1 1 1e-3', '0.1 2 1e-3', '0.1 5 1e-3', '0.1 2 2e-3')
    ),
    'pod_vicreg_bn_repeated': Base(_VICREG, (), points('0.1 2 2e-3')),
    'pod_vicreg_bn_smoothed': Base(_VICREG, (), {RATE: [0.1], SMOOTHING: [0.1]}),
    'pod_vicreg_bn_rate': Base(_VICREG, (), {RATE: [0.2], DECAY: ['1e-3', '2e-3']}),
    'pod_vicreg_bn_lambda': Base(_VICREG, (), {RATE: [0.1], WEIGHT: [2], DECAY: ['2e-3'], LAMBDA: [64, 1024]}),
    'pod_vicreg_bn_warmup0': Base(
        _VICREG, ('param_scheduler.0.start_factor=1.0',), points('0.1 2 2e-3 256', keys=(RATE, WEIGHT, DECAY, LAMBDA))
    ),
    'pod_vicreg_bn_warmup3': Base(
        _VICREG,
        ('param_scheduler.0.end=3', 'param_scheduler.1.begin=3', 'param_scheduler.1.T_max=12'),
        points('0.1 2 2e-3 256', keys=(RATE, WEIGHT, DECAY, LAMBDA)),
    ),
    'softmax_40epochs': Base(_SOFTMAX, (*LONGER_COSINE, 'train_cfg.val_interval=10'), {DECAY: ['1e-3', '5e-4']}),
    'pod_vicreg_bn_40epochs': Base(_VICREG, (*LONGER_COSINE, 'train_cfg.val_interval=10'), {DECAY: ['1e-3', '5e-4']}),
}


def recipe_tuning() -> Study:
    """Return the trials of recipes."""
    title = f'trials of recipes, {IMAGES["small"]}, on held-out training images'
    options = ('train_cfg.val_interval=5', *held_out(1000, 500), *FAST)
    return Study('small_recipe_tuning', title, RECIPE_TRIALS, options, seeds=(0,))

"""Small-scale experiments with every loss on two datasets: configs, tuned settings, recipes and tuning trials."""

from collections.abc import Sequence

from mmpod.experiments.studies.definitions import Base, Study

__all__ = ['IMAGES', 'LABELS', 'LOSSES', 'changed', 'losses', 'recipe', 'tuned', 'tuning']

LOSSES = {
    'softmax': 'Softmax',
    'lsoftmax': 'L-Softmax',
    'asoftmax': 'A-Softmax',
    'amsoftmax': 'AM-Softmax (s = 5, m = 0.25)',
    'amsoftmax_s30': 'AM-Softmax (s = 30, m = 0.35)',
    'center': 'Center Loss',
    'cot': 'COT',
    'pedccloss': 'PEDCC-Loss (s = 10, m = 0.5)',
    'pedccmse': 'PEDCC-MSE',
    'cosine': 'Cosine Loss',
    'pod': 'POD Loss',
    'pod_normadaptive': 'POD Loss, norm-adaptive',
    'pod_barlow': "POD Loss with Barlow Twins' term",
    'pod_vicreg': "POD Loss with VICReg's term",
}
LABELS = {
    **LOSSES,
    'gda': 'POD Loss, Gaussian discriminant analysis',
    'softmax_smoothed': 'Softmax with label smoothing',
    'pod_bn': 'POD Loss with a batch norm',
    'pod_bn_smoothed': 'POD Loss with a batch norm and label smoothing',
    'pod_vicreg_bn': "POD Loss with VICReg's term and a batch norm",
    'pod_vicreg_bn_smoothed': "POD Loss with VICReg's term, a batch norm and label smoothing",
}
DATA = {'small': 'cifar10_10k', 'tiny': 'tiny20'}
IMAGES = {'small': '10,000 images of CIFAR-10', 'tiny': '20 classes of Tiny ImageNet'}
# The losses for which a learning rate and a loss weight are the best of six trials. A loss that is not listed does best
# with the settings of its config.
TUNED: dict[str, dict[tuple[float, int], Sequence[str]]] = {
    'small': {
        (0.3, 1): ['softmax', 'pedccloss'],
        (0.1, 1): ['amsoftmax'],
        (0.1, 5): ['asoftmax', 'pedccmse', 'cosine', 'pod_vicreg'],
        (0.03, 1): ['amsoftmax_s30'],
        (0.03, 5): ['lsoftmax', 'center', 'cot', 'pod', 'pod_normadaptive', 'pod_barlow'],
    },
    'tiny': {
        (0.3, 1): ['pod'],
        (0.1, 5): ['pedccmse', 'cosine', 'pod_normadaptive', 'pod_vicreg'],
        (0.03, 1): ['amsoftmax_s30'],
        (0.03, 5): ['softmax', 'asoftmax', 'amsoftmax', 'cot', 'pod_barlow'],
    },
}

RATE, DECAY = 'optim_wrapper.optimizer.lr', 'optim_wrapper.optimizer.weight_decay'
WEIGHT, LAMBDA, DIMENSION = 'model.head.loss.loss_weight', 'model.head.loss.sc_weight', 'model.head.feat_dim'
CHANNELS_LAST = ('default_hooks.channels_last.type=mmpod.ChannelsLastHook',)
FAST = (*CHANNELS_LAST, 'optim_wrapper.type=mmpod.BFloat16OptimWrapper')
SMOOTHED = ('model.head.loss.label_smooth_val=0.1',)
LABEL_SMOOTH_LOSS = ('model.head.loss.type=mmpretrain.LabelSmoothLoss', *SMOOTHED, 'model.head.loss.mode=original')
NORM = ('norm_cfg.type=BN1d', 'norm_cfg.affine=False')
BATCH_NORM = tuple(f'model.head.{option}' for option in NORM)
PROJECTED = (  # softmax on the projection and the batch norm of POD Loss
    *(f'model.neck.{option}' for option in ('type=mmpretrain.LinearNeck', 'gap_dim=2', 'act_cfg=None', *NORM)),
    *('model.neck.in_channels=64', 'model.neck.out_channels=256', 'model.head.in_channels=256'),
)
LONGER_COSINE = ('train_cfg.max_epochs=40', 'param_scheduler.1.T_max=39', 'param_scheduler.1.end=40')


def losses(tier: str) -> dict[str, Base]:
    """Return the config of each loss on the small or the tiny dataset."""
    bases = {}
    for name in LOSSES:
        loss, _, variant = name.partition('_')
        if variant == 's30':
            options = ('model.head.loss.scale=30.0', 'model.head.loss.margin=0.35')
            bases[name] = Base(f'small/{loss}_{DATA[tier]}', options)
        else:
            bases[name] = Base('_'.join(filter(None, (f'small/{loss}', DATA[tier], variant))))
    return bases


def changed(base: Base, *overrides: str, source: str = '') -> Base:
    """Return a base with additional overrides, and with the setting whose checkpoint it evaluates."""
    return base._replace(overrides=(*base.overrides, *overrides), source=source)


def tuned(tier: str) -> dict[str, Base]:
    """Return the losses with the learning rate and loss weight that their trials chose."""
    chosen = {name: point for point, names in TUNED[tier].items() for name in names}
    return {
        name: changed(base, f'{RATE}={chosen[name][0]}', *([f'{WEIGHT}=5.0'] if chosen[name][1] == 5 else []))
        for name, base in losses(tier).items()
        if name in chosen
    }


def recipe(tier: str) -> dict[str, Base]:
    """Return the configs with warm-up and cosine schedule."""
    softmax = Base(f'small/softmax_{DATA[tier]}_warmup')
    return {
        'softmax': softmax,
        'softmax_smoothed': changed(softmax, 'model.head.loss._delete_=True', *LABEL_SMOOTH_LOSS, f'{RATE}=0.2'),
        'pod': Base(f'small/pod_{DATA[tier]}_warmup'),
        'pod_bn': Base(f'small/pod_{DATA[tier]}_bn'),
        'pod_vicreg_bn': Base(f'small/pod_{DATA[tier]}_vicreg_bn'),
    }


def held_out(train: int, val: int, loader: str = 'val_dataloader') -> tuple[str, ...]:
    """Return the overrides that validate on training images: ``val`` images per class, after the first ``train``."""
    of_val = ('split=train', f'skip_per_class={train}', f'samples_per_class={val}')
    return tuple(f'{loader}.dataset.{option}' for option in of_val)


def schedule(epochs: int, milestones: str) -> tuple[str, ...]:
    """Return the overrides for a step schedule that validates after the last epoch only."""
    last = f'train_cfg.val_interval={epochs}'
    return f'train_cfg.max_epochs={epochs}', f'param_scheduler.milestones={milestones}', last


# How trials differ from full runs: gamma of L- and A-Softmax, which depends on the number of iterations, and overrides
# that make them shorter.
SHORT: dict[str, tuple[dict[str, str], Sequence[str]]] = {
    'small': (
        {'lsoftmax': '5.1e-4', 'asoftmax': '0.36'},
        (*schedule(5, '[3,4]'), *held_out(1000, 500), *CHANNELS_LAST),
    ),
    'tiny': (
        {'lsoftmax': '3.2e-4', 'asoftmax': '0.226'},
        (*schedule(10, '[6,9]'), 'train_dataloader.dataset.samples_per_class=400', *held_out(400, 100), *FAST),
    ),
}


def tuning(tier: str) -> Study:
    """Return the study of six trials per loss."""
    gammas, options = SHORT[tier]
    bases = losses(tier)
    grid: dict[str, Sequence] = {RATE: [0.03, 0.1, 0.3], WEIGHT: [1, 5]}
    for name, gamma in gammas.items():
        bases[name] = changed(bases[name], f'model.head.loss.gamma={gamma}')
    bases = {name: base._replace(grid=grid) for name, base in bases.items()}
    title = f'trials of rate and loss weight for every loss, {IMAGES[tier]}, on held-out training images'
    return Study(f'{tier}_tuning', title, bases, options, seeds=(0,))

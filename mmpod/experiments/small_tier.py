"""The configs at a size for a CPU as bases of studies: every loss on two datasets, tuned settings, recipes."""

from collections.abc import Sequence

from mmpod.experiments.catalogue import Base

__all__ = ['DATA', 'IMAGES', 'LABELS', 'LOSSES', 'changed', 'losses', 'recipe', 'tuned']

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
# The best of six trials each: learning rate and loss weight. Where none is named, the untuned setting was the best.
TUNED = {
    'small': {
        'softmax': (0.3, 1),
        'lsoftmax': (0.03, 5),
        'asoftmax': (0.1, 5),
        'amsoftmax': (0.1, 1),
        'amsoftmax_s30': (0.03, 1),
        'center': (0.03, 5),
        'cot': (0.03, 5),
        'pedccloss': (0.3, 1),
        'pedccmse': (0.1, 5),
        'cosine': (0.1, 5),
        'pod': (0.03, 5),
        'pod_normadaptive': (0.03, 5),
        'pod_barlow': (0.03, 5),
        'pod_vicreg': (0.1, 5),
    },
    'tiny': {
        'softmax': (0.03, 5),
        'asoftmax': (0.03, 5),
        'amsoftmax': (0.03, 5),
        'amsoftmax_s30': (0.03, 1),
        'cot': (0.03, 5),
        'pedccmse': (0.1, 5),
        'cosine': (0.1, 5),
        'pod': (0.3, 1),
        'pod_normadaptive': (0.1, 5),
        'pod_barlow': (0.03, 5),
        'pod_vicreg': (0.1, 5),
    },
}

RATE, WEIGHT, DECAY = (
    'optim_wrapper.optimizer.lr',
    'model.head.loss.loss_weight',
    'optim_wrapper.optimizer.weight_decay',
)
LAMBDA, DIMENSION = 'model.head.loss.sc_weight', 'model.head.feat_dim'
CHANNELS_LAST = ('default_hooks.channels_last.type=mmpod.ChannelsLastHook',)
FAST = (*CHANNELS_LAST, 'optim_wrapper.type=mmpod.BFloat16OptimWrapper')
SMOOTHING = 'model.head.loss.label_smooth_val'
SMOOTHED = (f'{SMOOTHING}=0.1',)
LABEL_SMOOTH_LOSS = ('model.head.loss.type=mmpretrain.LabelSmoothLoss', *SMOOTHED, 'model.head.loss.mode=original')
LONGER = ('train_cfg.max_epochs=40', 'param_scheduler.milestones=[24,35]')
LONGER_COSINE = ('train_cfg.max_epochs=40', 'param_scheduler.1.T_max=39', 'param_scheduler.1.end=40')


def losses(tier: str, names: Sequence[str] = tuple(LOSSES)) -> dict[str, Base]:
    """Return the configs of losses in the small or the tiny tier."""
    bases = {}
    for name in names:
        loss, _, variant = name.partition('_')
        more: tuple[str, ...] = ()
        if variant == 's30':
            variant, more = '', ('model.head.loss.scale=30.0', 'model.head.loss.margin=0.35')
        bases[name] = Base(f'small/{loss}_{DATA[tier]}' + (f'_{variant}' if variant else ''), more)
    return bases


def changed(base: Base, *overrides: str, source: str = '') -> Base:
    """Return a base with more overrides."""
    return base._replace(overrides=(*base.overrides, *overrides), source=source)


def tuned(tier: str) -> dict[str, Base]:
    """Return the losses with the settings that their trials chose."""
    bases = losses(tier, tuple(TUNED[tier]))
    return {
        name: changed(bases[name], f'{RATE}={rate}', *([f'{WEIGHT}={weight}.0'] if weight != 1 else []))
        for name, (rate, weight) in TUNED[tier].items()
    }


def recipe(data: str) -> dict[str, Base]:
    """Return the configs with warm-up and cosine schedule."""
    return {
        'softmax': Base(f'small/softmax_{data}_warmup'),
        'softmax_smoothed': Base(
            f'small/softmax_{data}_warmup', ('model.head.loss._delete_=True', *LABEL_SMOOTH_LOSS, f'{RATE}=0.2')
        ),
        'pod': Base(f'small/pod_{data}_warmup'),
        'pod_bn': Base(f'small/pod_{data}_bn'),
        'pod_vicreg_bn': Base(f'small/pod_{data}_vicreg_bn'),
    }

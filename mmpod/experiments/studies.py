"""mmpod's own studies: the losses, sweeps and recipes at a size for a CPU, their trials, and what ran on a GPU."""

from collections.abc import Sequence

from mmpod.experiments.catalogue import Base, Setting, Study
from mmpod.experiments.paper import PAPER

__all__ = ['DATA', 'IMAGES', 'LABELS', 'LOSSES', 'STUDIES', 'setting_of']

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
SHORT = {  # the schedule of a trial
    'small': ('train_cfg.max_epochs=5', 'param_scheduler.milestones=[3,4]', 'train_cfg.val_interval=5'),
    'tiny': (
        'train_cfg.max_epochs=10',
        'param_scheduler.milestones=[6,9]',
        'train_cfg.val_interval=10',
        'train_dataloader.dataset.samples_per_class=400',
    ),
}
LONGER = ('train_cfg.max_epochs=40', 'param_scheduler.milestones=[24,35]')
LONGER_COSINE = ('train_cfg.max_epochs=40', 'param_scheduler.1.T_max=39', 'param_scheduler.1.end=40')


def held_out(train: int, val: int) -> tuple[str, ...]:
    """Return the overrides that validate on training images, of each class those after the first ``train``."""
    of_val = ('split=train', f'skip_per_class={train}', f'samples_per_class={val}')
    return tuple(f'val_dataloader.dataset.{option}' for option in of_val)


def losses(tier: str, names: Sequence[str] = tuple(LOSSES)) -> dict[str, Base]:
    """Return the configs of losses in the small or the tiny tier."""
    bases = {}
    for name in names:
        loss, _, variant = name.partition('_')
        more = ()
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


def tuning(tier: str, gammas: tuple[float, float], *options: str) -> Study:
    """Return the six trials of every loss; L- and A-Softmax with another gamma, as a trial is shorter than a run."""
    bases = losses(tier)
    for name, gamma in zip(('lsoftmax', 'asoftmax'), gammas):
        bases[name] = changed(bases[name], f'model.head.loss.gamma={gamma}')
    grid = {RATE: [0.03, 0.1, 0.3], WEIGHT: [1, 5]}
    title = f'trials of rate and loss weight for every loss, {IMAGES[tier]}, on held-out training images'
    return Study(
        f'{tier}_tuning', title, {name: base._replace(grid=grid) for name, base in bases.items()}, options, (0,)
    )


def gda(tier: str, source: str, *options: str) -> Study:
    """Return Gaussian discriminant analysis of both kinds on the features of one training."""
    base = Base(f'small/gda_{DATA[tier]}', source=source)
    bases = {'class': base, 'shared': changed(base, 'model.covariance=shared', source=source)}
    return Study(f'{tier}_gda', f'Gaussian discriminant analysis of POD Loss, {IMAGES[tier]}', bases, options)


def shrinkage(data: str, source: str, seed: int) -> Study:
    """Return Gaussian discriminant analysis by features, covariance and shrinkage."""
    grid = {
        'model.stage': ['pre_logits', 'pooled'],
        'model.covariance': ['class', 'shared'],
        'model.shrinkage': ['auto', 1, 0.5, 0.1, 0.01, 0.001],
    }
    name = 'digits' if data == 'digits' else 'small'
    title = f'Gaussian discriminant analysis of {source} by features, covariance and shrinkage'
    return Study(f'{name}_shrinkage', title, {'': Base(f'small/gda_{data}', (), grid, source)}, seeds=(seed,))


def geometry(tier: str, of: str, bases: dict[str, Base], *names: str) -> Study:
    """Return tests of trained losses that measure the geometry of their features."""
    tested = {name: changed(bases[name], source=f'{of}/{name}') for name in names}
    title = f'geometry of the features on the test images, of the runs of {of}'
    return Study(f'{tier}_geometry', title, tested, ('default_hooks.features.geometry=True',))


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


def in_memory(split: str) -> list[str]:
    """Return the overrides that keep the images of CIFAR-10 in memory."""
    loader, subset = f'{split}_dataloader', 'train' if split == 'train' else 'test'
    dataset = [
        '_delete_=True',
        'type=mmpod.InMemoryImages',
        'dataset.type=mmpod.CIFAR10AnyLayout',
        'dataset.data_root=data/cifar10',
        f'dataset.split={subset}',
        'dataset.pipeline=[]',
    ]
    batch = [] if split == 'train' else [f'{loader}.batch_size=500']
    options = [f'{loader}.num_workers=0', f'{loader}.persistent_workers=False']
    return [*batch, *options, *(f'{loader}.dataset.{option}' for option in dataset)]


ON_A_GPU = (
    'train_cfg.max_epochs=24',
    'param_scheduler.milestones=[7,14,22]',
    'env_cfg.cudnn_benchmark=True',
    'data_preprocessor.type=mmpod.CropFlipPreprocessor',
    'data_preprocessor.padding=4',
    'data_preprocessor.flip_prob=0.5',
    *(option for split in ('train', 'val', 'test') for option in in_memory(split)),
    'optim_wrapper.type=AmpOptimWrapper',
    *CHANNELS_LAST,
    'default_hooks.checkpoint.interval=1000',
    'default_hooks.checkpoint.save_last=True',
    'default_hooks.logger.interval=100',
)


def with_longer(bases: dict[str, Base], longer: Sequence[str], *names: str) -> dict[str, Base]:
    """Return some configs with a longer schedule."""
    return {name: changed(bases[name], *longer) for name in names}


_SMALL, _TINY = losses('small'), losses('tiny')
_POD10K, _POD20 = _SMALL['pod'].config, _TINY['pod'].config
_BATCH_NORM = ('model.head.norm_cfg.type=BN1d', 'model.head.norm_cfg.affine=False')
_SC = [1 / 255, 0.01, 0.1, 10]
_RECIPE = recipe('cifar10_10k')
_SMOOTHED_PODS = {f'{name}_smoothed': changed(_RECIPE[name], *SMOOTHED) for name in ('pod_bn', 'pod_vicreg_bn')}
STUDIES = {
    study.name: study
    for study in (
        PAPER,
        Study('lambda', 'POD Loss on CIFAR-10 by lambda', {'': Base('pod_resnet50_cifar10', (), {LAMBDA: _SC})}),
        Study(
            'gpu',
            'ResNet-50 on all of CIFAR-10 for 24 of 100 epochs, on one H100',
            {
                'softmax': Base('softmax_resnet50_cifar10'),
                'pod': Base('pod_resnet50_cifar10'),
                'pod_bn': Base('pod_resnet50_cifar10', _BATCH_NORM),
            },
            ON_A_GPU,
            seeds=(0,),
        ),
        Study(
            'digits',
            "scikit-learn's handwritten digits",
            {
                'softmax': Base('small/softmax_digits'),
                'pod': Base('small/pod_digits'),
                'gda': Base('small/gda_digits', source='digits/pod'),
            },
        ),
        Study(
            'small',
            f'every loss, nothing tuned, {IMAGES["small"]}',
            {**_SMALL, 'gda': Base('small/gda_cifar10_10k', source='small/pod')},
        ),
        Study('tiny', f'every loss, nothing tuned, {IMAGES["tiny"]}', _TINY, FAST),
        tuning('small', ('5.1e-4', 0.36), *SHORT['small'], *held_out(1000, 500), *CHANNELS_LAST),
        tuning('tiny', ('3.2e-4', 0.226), *SHORT['tiny'], *held_out(400, 100), *FAST),
        Study('small_tuned', f'every loss, tuned alike, {IMAGES["small"]}', tuned('small'), CHANNELS_LAST),
        Study('tiny_tuned', f'every loss, tuned alike, {IMAGES["tiny"]}', tuned('tiny'), FAST),
        Study(
            'small_40epochs',
            f'40 epochs, nothing tuned, {IMAGES["small"]}',
            with_longer(_SMALL, LONGER, 'softmax', 'cosine', 'pod'),
            FAST,
        ),
        Study(
            'small_lambda',
            f'POD Loss by lambda, {IMAGES["small"]}',
            {'': Base(_POD10K, (), {LAMBDA: [*_SC, 20]})},
            CHANNELS_LAST,
        ),
        Study('tiny_lambda', f'POD Loss by lambda, {IMAGES["tiny"]}', {'': Base(_POD20, (), {LAMBDA: _SC})}, FAST),
        Study(
            'small_dimension',
            f'POD Loss by feature dimension, {IMAGES["small"]}',
            {'': Base(_POD10K, (), {DIMENSION: [9, 32, 64, 128, 512, 1024]})},
            CHANNELS_LAST,
        ),
        Study(
            'tiny_dimension',
            f'POD Loss by feature dimension, {IMAGES["tiny"]}',
            {'': Base(_POD20, (), {DIMENSION: [19, 32, 64, 128, 512, 1024]})},
            FAST,
        ),
        Study(
            'small_probe',
            f'POD Loss with a batch norm, and with other rates and weights, {IMAGES["small"]}',
            {
                'bn': Base(_POD10K, _BATCH_NORM),
                '': Base(_POD10K, (), [{RATE: [0.03, 0.3]}, {WEIGHT: [5]}]),
            },
            CHANNELS_LAST,
        ),
        Study(
            'small_repeated',
            f'runs of small once more, with another PyTorch, {IMAGES["small"]}',
            {
                **losses('small', ('pod', 'cosine', 'softmax')),
                'gda': Base('small/gda_cifar10_10k', source='small_repeated/pod'),
            },
            seeds=(0,),
        ),
        Study(
            'small_recipe',
            f'warm-up and cosine schedule, tuned, {IMAGES["small"]}',
            {**_RECIPE, **_SMOOTHED_PODS},
            FAST,
            seeds=(0, 1, 2, 3, 4),
        ),
        Study('tiny_recipe', f'the recipes of small_recipe, {IMAGES["tiny"]}', recipe('tiny20'), FAST),
        Study(
            'small_recipe_40epochs',
            f'the recipes of small_recipe for 40 epochs, {IMAGES["small"]}',
            with_longer(_RECIPE, LONGER_COSINE, 'softmax', 'pod', 'pod_vicreg_bn'),
            FAST,
        ),
        Study(
            'small_recipe_tuning',
            f'trials of recipes, {IMAGES["small"]}, on held-out training images',
            RECIPE_TRIALS,
            ('train_cfg.val_interval=5', *held_out(1000, 500), *FAST),
            seeds=(0,),
        ),
        gda('small', 'small_tuned/pod'),
        gda('tiny', 'tiny/pod', *FAST),
        shrinkage('digits', 'digits/pod', seed=0),
        shrinkage('cifar10_10k', 'small/pod_vicreg', seed=1),
        Study(
            'open_set',
            f'unknown images, of Tiny ImageNet, after training on {IMAGES["small"]}',
            {
                'tinyimagenet': Base(
                    'small/gda_cifar10_10k',
                    ('custom_hooks.1.unknown=data/tinyimagenet/val/images',),
                    source='small/pod_vicreg',
                )
            },
            seeds=(1,),
        ),
        geometry('small', 'small_tuned', tuned('small'), 'softmax', 'cosine', 'pod'),
        geometry('tiny', 'tiny', _TINY, 'softmax', 'center', 'amsoftmax', 'pedccloss', 'cosine', 'pod'),
    )
}


def setting_of(key: str) -> Setting:
    """Return a setting, ``study/name``.

    Raises:
        ValueError: There is no such study, or no such setting in it.
    """
    study, _, name = key.partition('/')
    if study not in STUDIES:
        raise ValueError(f'Expected a study ({", ".join(STUDIES)}), but got {study!r}.')
    settings = STUDIES[study].settings
    if name not in settings:
        raise ValueError(f'Expected a setting of the study {study} ({", ".join(settings)}), but got {name!r}.')
    return settings[name]

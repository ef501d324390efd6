"""mmpod's own studies: the losses, sweeps and recipes at a size for a CPU, their trials, and what ran on a GPU."""

from collections.abc import Sequence

from mmpod.experiments.catalogue import Base, Setting, Study
from mmpod.experiments.paper import PAPER
from mmpod.experiments.small_tier import (
    CHANNELS_LAST,
    DATA,
    DIMENSION,
    FAST,
    IMAGES,
    LAMBDA,
    LONGER,
    LONGER_COSINE,
    RATE,
    SMOOTHED,
    WEIGHT,
    changed,
    losses,
    recipe,
    tuned,
)
from mmpod.experiments.trials import recipe_tuning, tuning

__all__ = ['STUDIES', 'setting_of']


def gda(tier: str, source: str, *options: str) -> Study:
    """Return Gaussian discriminant analysis of both kinds on the features of one training."""
    base = Base(f'small/gda_{DATA[tier]}', source=source)
    bases = {'class': base, 'shared': changed(base, 'model.covariance=shared', source=source)}
    return Study(f'{tier}_gda', f'Gaussian discriminant analysis of POD Loss, {IMAGES[tier]}', bases, options)


def shrinkage(data: str, source: str, seed: int) -> Study:
    """Return Gaussian discriminant analysis by features, covariance and shrinkage."""
    grid: dict[str, Sequence] = {
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
        tuning('small'),
        tuning('tiny'),
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
        recipe_tuning(),
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

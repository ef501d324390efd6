"""The studies: the paper's experiments, the losses, sweeps and recipes at a size for a CPU, and what ran on a GPU."""

import json
from collections.abc import Mapping, Sequence

from mmpod.experiments.studies.definitions import Base, Setting, Study
from mmpod.experiments.studies.paper import PAPER
from mmpod.experiments.studies.should_i_use_it import WHEN_STUDIES
from mmpod.experiments.studies.small_scale import (
    BATCH_NORM,
    CHANNELS_LAST,
    DATA,
    DIMENSION,
    FAST,
    IMAGES,
    LAMBDA,
    LONGER_COSINE,
    RATE,
    SMOOTHED,
    WEIGHT,
    changed,
    losses,
    recipe,
    tuned,
    tuning,
)
from mmpod.utils.paths import CONFIGS

__all__ = ['STUDIES', 'setting_of']


def tier_study(
    name: str, title: str, bases: Mapping[str, Base], options: Sequence[str] = (), seeds: Sequence[int] = (0, 1, 2)
) -> Study:
    """Return a study whose title ends with the images of its tier, the first word of its name."""
    return Study(name, f'{title}, {IMAGES[name.partition("_")[0]]}', bases, options, seeds)


def pod_by(name: str, varied: str, grid: Mapping[str, Sequence], options: Sequence[str]) -> Study:
    """Return POD Loss with each value of a setting."""
    base = Base(f'small/pod_{DATA[name.partition("_")[0]]}', (), grid)
    return tier_study(name, f'POD Loss by {varied}', {'': base}, options)


def gda(tier: str, source: str, *options: str) -> Study:
    """Return Gaussian discriminant analysis of both kinds on the features of one training."""
    base = Base(f'small/gda_{DATA[tier]}', source=source)
    bases = {'class': base, 'shared': changed(base, 'model.covariance=shared', source=source)}
    return tier_study(f'{tier}_gda', 'Gaussian discriminant analysis of POD Loss', bases, options)


def shrinkage(name: str, data: str, source: str, seed: int) -> Study:
    """Return Gaussian discriminant analysis by features, covariance and shrinkage."""
    grid: dict[str, Sequence] = {
        'model.stage': ['pre_logits', 'pooled'],
        'model.covariance': ['class', 'shared'],
        'model.shrinkage': ['auto', 1, 0.5, 0.1, 0.01, 0.001],
    }
    title = f'Gaussian discriminant analysis of {source} by features, covariance and shrinkage'
    return Study(name, title, {'': Base(f'small/gda_{data}', (), grid, source)}, seeds=(seed,))


def geometry(tier: str, of: str, bases: Mapping[str, Base], *names: str) -> Study:
    """Return tests of trained losses that measure the geometry of their features."""
    tested = {name: changed(bases[name], source=f'{of}/{name}') for name in names}
    title = f'geometry of the features on the test images, of the runs of {of}'
    return Study(f'{tier}_geometry', title, tested, ('default_hooks.features.geometry=True',))


def recorded(name: str, title: str) -> Study:
    """Return a finished study that follows no rule: its settings are those of its runs in `results/`."""
    path = CONFIGS.parent / 'results' / f'{name}.jsonl'
    bases: dict[str, Base] = {}
    for line in path.read_text(encoding='utf-8').splitlines() if path.is_file() else ():  # no file in a wheel
        run = json.loads(line)
        bases.setdefault(run['setting'], Base(run['config'] or '', run['overrides']))
    return Study(name, title, bases, seeds=(0,))


def some(bases: Mapping[str, Base], names: str, *overrides: str) -> dict[str, Base]:
    """Return the bases that ``names`` lists, with more overrides."""
    return {name: changed(bases[name], *overrides) for name in names.split()}


_SMALL, _TINY, _RECIPE = losses('small'), losses('tiny'), recipe('small')
_POD, _POD10K = 'pod_resnet50_cifar10', _SMALL['pod'].config
_GDA10K = 'small/gda_cifar10_10k'
_LONGER = ('train_cfg.max_epochs=40', 'param_scheduler.milestones=[24,35]')
_SC, _DIMENSIONS = [1 / 255, 0.01, 0.1, 10], [32, 64, 128, 512, 1024]
_SMOOTHED_PODS = {f'{name}_smoothed': changed(_RECIPE[name], *SMOOTHED) for name in ('pod_bn', 'pod_vicreg_bn')}
_DIGITS = {name: Base(f'small/{name}_digits') for name in ('softmax', 'pod')}
_DIGITS['pod_bn'] = Base('small/pod_digits_bn')
_DIGITS['gda'] = Base('small/gda_digits', source='digits/pod')

STUDIES = {
    study.name: study
    for study in (
        PAPER,
        Study('lambda', 'POD Loss on CIFAR-10 by lambda', {'': Base(_POD, (), {LAMBDA: _SC})}),
        recorded('gpu', 'ResNet-50 on all of CIFAR-10 for 24 of 100 epochs, on one H100'),
        recorded('gpu_44epochs', 'ResNet-50 on all of CIFAR-10 for 44 of 100 epochs, on one H200'),
        Study('digits', "scikit-learn's handwritten digits", _DIGITS),
        Study(
            'digits_geometry',
            "geometry of the features on the test images, scikit-learn's handwritten digits",
            some(_DIGITS, 'softmax pod pod_bn'),
            ('default_hooks.features.geometry=True',),
        ),
        tier_study('small', 'every loss, nothing tuned', {**_SMALL, 'gda': Base(_GDA10K, source='small/pod')}),
        tier_study('tiny', 'every loss, nothing tuned', _TINY, FAST),
        tuning('small'),
        tuning('tiny'),
        tier_study('small_tuned', 'every loss, tuned alike', tuned('small'), CHANNELS_LAST),
        tier_study('tiny_tuned', 'every loss, tuned alike', tuned('tiny'), FAST),
        tier_study('small_40epochs', '40 epochs, nothing tuned', some(_SMALL, 'softmax cosine pod', *_LONGER), FAST),
        pod_by('small_lambda', 'lambda', {LAMBDA: [*_SC, 20]}, CHANNELS_LAST),
        pod_by('tiny_lambda', 'lambda', {LAMBDA: _SC}, FAST),
        pod_by('small_dimension', 'feature dimension', {DIMENSION: [9, *_DIMENSIONS]}, CHANNELS_LAST),
        pod_by('tiny_dimension', 'feature dimension', {DIMENSION: [19, *_DIMENSIONS]}, FAST),
        tier_study(
            'small_probe',
            'POD Loss with a batch norm, and with other rates and weights',
            {'bn': Base(_POD10K, BATCH_NORM), '': Base(_POD10K, (), [{RATE: [0.03, 0.3]}, {WEIGHT: [5]}])},
            CHANNELS_LAST,
        ),
        tier_study(
            'small_repeated',
            'runs of small once more, with another PyTorch',
            {**some(_SMALL, 'pod cosine softmax'), 'gda': Base(_GDA10K, source='small_repeated/pod')},
            seeds=(0,),
        ),
        tier_study('small_recipe', 'warm-up and cosine schedule, tuned', {**_RECIPE, **_SMOOTHED_PODS}, FAST, range(5)),
        tier_study('tiny_recipe', 'the recipes of small_recipe', recipe('tiny'), FAST),
        tier_study(
            'small_recipe_40epochs',
            'the recipes of small_recipe for 40 epochs',
            some(_RECIPE, 'softmax pod pod_vicreg_bn', *LONGER_COSINE),
            FAST,
        ),
        recorded('small_recipe_tuning', f'trials of recipes, {IMAGES["small"]}, on held-out training images'),
        gda('small', 'small_tuned/pod'),
        gda('tiny', 'tiny/pod', *FAST),
        shrinkage('digits_shrinkage', 'digits', 'digits/pod', seed=0),
        shrinkage('small_shrinkage', 'cifar10_10k', 'small/pod_vicreg', seed=1),
        geometry('small', 'small_tuned', tuned('small'), 'softmax', 'cosine', 'pod'),
        geometry('tiny', 'tiny', _TINY, 'softmax', 'center', 'amsoftmax', 'pedccloss', 'cosine', 'pod'),
        *WHEN_STUDIES,
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
        raise ValueError(
            f'Expected a setting of the study {study}, but got {name!r}. '
            f'List its settings: python tools/experiments.py list {study}'
        )
    return settings[name]

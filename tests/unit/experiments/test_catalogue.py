"""The tables against the paper's text, and the studies against the configs."""

import re
from pathlib import Path

import pytest

from mmpod.experiments.catalogue import CHECKPOINT_OF, DATASETS, Base, Study, dataset_of
from mmpod.experiments.selection import select
from mmpod.experiments.settings import resolve
from mmpod.experiments.studies import STUDIES, setting_of
from mmpod.experiments.tables import FIGURES, TABLES

ROOT = Path(__file__).resolve().parents[3]
LEAVES = {path.stem: path for path in (ROOT / 'configs').glob('*.py')}
PAPER = ROOT.parent / 'shared' / 'paper' / 'pod_loss_arxiv_v1.txt'
ROMAN = ('I', 'II', 'III', 'IV', 'V', 'VI', 'VII')

# Tables I to VII, typed from the paper: row, column, number, and the config.
EXPECTED = {
    'I': """
        9|Accuracy|92.71|pod_resnet50_cifar10_dim9
        32|Accuracy|93.51|pod_resnet50_cifar10_dim32
        64|Accuracy|93.77|pod_resnet50_cifar10_dim64
        128|Accuracy|93.98|pod_resnet50_cifar10_dim128
        256|Accuracy|94.31|pod_resnet50_cifar10
        512|Accuracy|94.25|pod_resnet50_cifar10_dim512
        1024|Accuracy|93.82|pod_resnet50_cifar10_dim1024""",
    'III': """
        Softmax Loss|CIFAR-100|73.80|softmax_resnet50_cifar100
        Softmax Loss|FaceScrub|89.10|softmax_resnet50_facescrub
        AM-Softmax Loss (s = 5, m = 0.25)|CIFAR-100|73.03|amsoftmax_resnet50_cifar100
        AM-Softmax Loss (s = 5, m = 0.25)|FaceScrub|91.67|amsoftmax_resnet50_facescrub
        COT|CIFAR-100|74.03|cot_resnet50_cifar100
        COT|FaceScrub|90.40|cot_resnet50_facescrub
        PEDCC-Loss (s = 10, m = 0.5)|CIFAR-100|75.58|pedccloss_resnet50_cifar100
        PEDCC-Loss (s = 10, m = 0.5)|FaceScrub|90.98|pedccloss_resnet50_facescrub
        Cosine Loss|CIFAR-100|76.23|cosine_resnet50_cifar100
        Cosine Loss|FaceScrub|92.11|cosine_resnet50_facescrub""",
    'IV': """
        Cosine Loss|Variance|1.82|cosine_resnet50_cifar10
        POD Loss|Variance|1.53|pod_resnet50_cifar10""",
    'V': """
        CIFAR-10|Cosine Loss|93.83|cosine_resnet50_cifar10
        CIFAR-10|POD Loss|94.31|pod_resnet50_cifar10
        CIFAR-100|Cosine Loss|76.23|cosine_resnet50_cifar100
        CIFAR-100|POD Loss|77.70|pod_resnet50_cifar100
        Tiny ImageNet|Cosine Loss|62.01|cosine_resnet50_tinyimagenet
        Tiny ImageNet|POD Loss|62.16|pod_resnet50_tinyimagenet
        FaceScrub|Cosine Loss|92.11|cosine_resnet50_facescrub
        FaceScrub|POD Loss|93.01|pod_resnet50_facescrub""",
    'VI': """
        CIFAR-10|Softmax Loss|93.71|softmax_resnet50_cifar10
        CIFAR-10|POD Loss|94.31|pod_resnet50_cifar10
        CIFAR-100|Softmax Loss|75.56|softmax_resnet50_cifar100
        CIFAR-100|POD Loss|77.70|pod_resnet50_cifar100
        Tiny ImageNet|Softmax Loss|60.29|softmax_resnet50_tinyimagenet
        Tiny ImageNet|POD Loss|62.16|pod_resnet50_tinyimagenet
        FaceScrub|Softmax Loss|89.10|softmax_resnet50_facescrub
        FaceScrub|POD Loss|93.01|pod_resnet50_facescrub
        ImageNet(30)|Softmax Loss|79.86|softmax_resnet50_imagenet30
        ImageNet(30)|POD Loss|85.40|pod_resnet50_imagenet30
        ImageNet(100)|Softmax Loss|78.25|softmax_resnet50_imagenet100
        ImageNet(100)|POD Loss|82.06|pod_resnet50_imagenet100
        ImageNet(200)|Softmax Loss|82.06|softmax_resnet50_imagenet200
        ImageNet(200)|POD Loss|83.08|pod_resnet50_imagenet200
        ImageNet(500)|Softmax Loss|82.14|softmax_resnet50_imagenet500
        ImageNet(500)|POD Loss|82.24|pod_resnet50_imagenet500
        ImageNet(1000)|Softmax Loss|75.65|softmax_resnet50_imagenet
        ImageNet(1000)|POD Loss|75.71|pod_resnet50_imagenet""",
    'VII': """
        CIFAR-10|Cosine distance|94.31|pod_resnet50_cifar10
        CIFAR-10|Gaussian discriminant analysis|94.23|gda_resnet50_cifar10
        CIFAR-100|Cosine distance|77.70|pod_resnet50_cifar100
        CIFAR-100|Gaussian discriminant analysis|73.37|gda_resnet50_cifar100
        Tiny ImageNet|Cosine distance|62.16|pod_resnet50_tinyimagenet
        Tiny ImageNet|Gaussian discriminant analysis|50.09|gda_resnet50_tinyimagenet""",
}
TABLE_II = {
    'cifar10': (10, 256),
    'cifar100': (100, 512),
    'facescrub': (100, 512),
    'tinyimagenet': (200, 512),
    'imagenet30': (30, 256),
    'imagenet100': (100, 512),
    'imagenet200': (200, 512),
    'imagenet500': (500, 1024),
    'imagenet': (1000, 2048),
}


@pytest.mark.parametrize('table', EXPECTED)
def test_every_cell_of_the_paper_maps_to_one_config(table):
    expected = [tuple(line.strip().split('|')) for line in EXPECTED[table].strip().splitlines()]
    cells = [(cell.row, cell.column, cell.paper, cell.runs) for cell in TABLES[table].cells]
    assert sorted(cells) == sorted(
        (row, column, float(number), f'paper/{config}') for row, column, number, config in expected
    )


def test_table_of_settings():
    cells = {(cell.runs, cell.key): cell.paper for cell in TABLES['II'].cells}
    expected = {}
    for key, (num_classes, dim) in TABLE_II.items():
        expected[f'paper/pod_resnet50_{key}', 'model.head.num_classes'] = num_classes
        expected[f'paper/pod_resnet50_{key}', 'model.head.feat_dim'] = dim
    assert cells == expected


@pytest.mark.skipif(not PAPER.is_file(), reason=f'{PAPER} is not there')
def test_numbers_are_those_of_the_text():
    """Count every number of each table in the paper's text."""
    parts = re.split(r'^TABLE ([IV]+):', PAPER.read_text(), flags=re.M)
    for name, text in zip(parts[1::2], parts[2::2]):
        body = '\n'.join(line for line in text.splitlines() if '\t' in line)
        if name == 'II':
            found = [float(number) for line in body.splitlines()[1:] for number in line.split('\t')[1:]]
        elif name == 'IV':
            found = [float(number) for number in re.findall(r'([\d.]+)e-8', body)]
        elif name == 'I':
            found = [float(line.split('\t')[1]) for line in body.splitlines()[1:]]
        else:
            found = [float(number) for number in re.findall(r'\b\d\d\.\d\d\b', body)]
        assert sorted(found) == sorted(cell.paper for cell in TABLES[name].cells), name


def test_configs_state_the_numbers_of_the_paper():
    for name in ROMAN:
        for cell in TABLES[name].cells:
            if cell.key is None and name != 'IV':
                opening = setting_of(cell.runs).path.read_text().split('\n\n')[0]
                assert f'{cell.paper:.2f}' in opening and 'Table' in opening, (name, cell)


def test_every_config_is_in_a_study():
    used = {setting.config for study in STUDIES.values() for setting in study.settings.values()} - {''}
    shipped = {path.relative_to(ROOT / 'configs').with_suffix('') for path in (ROOT / 'configs').rglob('*.py')}
    assert used == {path.as_posix() for path in shipped if path.parts[0] != '_base_'}
    assert set(CHECKPOINT_OF) | set(CHECKPOINT_OF.values()) <= {path.name for path in shipped}


def test_overrides_of_every_study_name_settings_that_exist():
    """A misspelt key would be added to the config silently."""
    different = {}
    for study in STUDIES.values():
        for setting in study.settings.values():
            keys = (study.name, *(option.partition('=')[0] for option in setting.overrides))
            if setting.config and setting.overrides:
                different.setdefault(keys, setting)
            if setting.source:
                assert setting_of(setting.source).study in STUDIES
    for setting in different.values():
        resolve(setting.path, setting.overrides)


def test_a_study_is_every_base_with_every_point_of_its_grid():
    study = Study(
        's',
        'title',
        {'a': Base('pod_resnet50_cifar10', ['x.y=1'], {'m.d': [9, 32], 'm.w': [1]}), '': Base('b', (), [{'m.d': [5]}])},
        options=['o=2'],
    )
    found = {name: (setting.config, setting.overrides) for name, setting in study.settings.items()}
    assert found == {
        'a,d=9,w=1': ('pod_resnet50_cifar10', ('o=2', 'x.y=1', 'm.d=9', 'm.w=1')),
        'a,d=32,w=1': ('pod_resnet50_cifar10', ('o=2', 'x.y=1', 'm.d=32', 'm.w=1')),
        'd=5': ('b', ('o=2', 'm.d=5')),
    }
    assert study.settings['d=5'].key == 's/d=5' and study.settings['d=5'].path == ROOT / 'configs/b.py'


def test_tables_and_figures_show_settings_that_exist():
    for shown in [*TABLES.values(), *FIGURES.values()]:
        for cell in shown.cells:
            setting_of(cell.runs)
    assert set(TABLE_II) == set(list(DATASETS)[:9])
    assert dataset_of('small/gda_tiny20') == 'Tiny ImageNet, 20 classes' and dataset_of('pod_resnet50_imagenet30') == (
        'ImageNet(30)'
    )


def test_selection():
    def keys(*words):
        return [setting.key for setting in select(words).settings]

    assert keys('I') == [cell.runs for cell in TABLES['I'].cells] and select(['I']).tables == ['I']
    assert keys('fig6') == ['paper/softmax_resnet50_cifar100', 'paper/pod_resnet50_cifar100']
    assert all(key.startswith('paper/cot_') for key in keys('cot_*')) and len(keys('cot_*')) == 3
    assert keys('gda_resnet50_cifar10') == ['paper/pod_resnet50_cifar10', 'paper/gda_resnet50_cifar10']
    assert (
        keys('digits')
        == ['digits/softmax', 'digits/pod', 'digits/pod_bn', 'digits/gda']
        == keys('digits/*', 'small/pod_digits')
    )
    assert {'small_tuned', 'small_spectrum', 'small_tuned_epochs'} <= set(select(['small_tuned']).tables)
    assert select(['fig3']).figures == ['fig3'] and keys('fig3') == []
    assert len(keys()) == sum(len(study.settings) for study in STUDIES.values())
    with pytest.raises(ValueError, match="a study .*but got 'VIII'.*experiments.py list"):
        select(['VIII'])

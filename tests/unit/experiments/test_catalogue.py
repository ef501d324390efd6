"""The tables against the paper's text, and the studies against the configs."""

import dataclasses
import re
from pathlib import Path

import pytest

from mmpod.experiments.config_hash import resolved_config
from mmpod.experiments.studies.catalogue import STUDIES, setting_of
from mmpod.experiments.studies.definitions import CHECKPOINT_OF, Base, Study
from mmpod.experiments.studies.selection import select
from mmpod.experiments.studies.tables import FIGURES, TABLES

ROOT = Path(__file__).resolve().parents[3]
PAPER = ROOT.parent / 'shared' / 'paper' / 'pod_loss_arxiv_v1.txt'
ROMAN = ('I', 'III', 'IV', 'V', 'VI', 'VII')


@pytest.mark.skipif(not PAPER.is_file(), reason=f'{PAPER} is not there')
def test_numbers_are_those_of_the_text():
    """Count every number of each table in the paper's text."""
    parts = re.split(r'^TABLE ([IV]+):', PAPER.read_text(), flags=re.M)
    for name, text in zip(parts[1::2], parts[2::2]):
        body = '\n'.join(line for line in text.splitlines() if '\t' in line)
        if name == 'II':  # settings, see test_configs.py
            continue
        if name == 'IV':
            found = [float(number) for number in re.findall(r'([\d.]+)e-8', body)]
        elif name == 'I':
            found = [float(line.split('\t')[1]) for line in body.splitlines()[1:]]
        else:
            found = [float(number) for number in re.findall(r'\b\d\d\.\d\d\b', body)]
        assert sorted(found) == sorted(cell.paper for cell in TABLES[name].cells), name


def test_configs_state_the_numbers_of_the_paper():
    for name in ROMAN:
        for cell in TABLES[name].cells:
            if name != 'IV':
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
        resolved_config(setting.path, setting.overrides)


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


def test_selection():
    def keys(*words):
        return [setting.key for setting in select(words)]

    assert keys('I') == [cell.runs for cell in TABLES['I'].cells]
    assert keys('fig6') == ['paper/softmax_resnet50_cifar100', 'paper/pod_resnet50_cifar100']
    assert all(key.startswith('paper/cot_') for key in keys('paper/cot_*')) and len(keys('paper/cot_*')) == 3
    assert keys('paper/gda_resnet50_cifar10') == ['paper/pod_resnet50_cifar10', 'paper/gda_resnet50_cifar10']
    assert (
        keys('digits')
        == ['digits/softmax', 'digits/pod', 'digits/pod_bn', 'digits/gda']
        == keys('digits/*', 'digits/pod')
    )
    assert len(keys()) == sum(len(study.settings) for study in STUDIES.values())
    with pytest.raises(ValueError, match="a study, .*but got 'VIII'.*experiments.py list"):
        select(['VIII'])


def test_a_study_without_its_records_is_refused(monkeypatch):
    monkeypatch.setitem(STUDIES, 'gpu', dataclasses.replace(STUDIES['gpu'], bases={}))  # as in a wheel
    with pytest.raises(ValueError, match='the runs of gpu in `results/`, but it is absent'):
        select(['gpu'])

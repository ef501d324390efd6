"""Runs as lines of JSON: written from folders of runs, read back, refused."""

import json
import re
import shlex

import pytest
from helpers import write_log

from mmpod.experiments.records import collect, pack, read_file, read_results
from mmpod.experiments.run_files import Run
from mmpod.experiments.studies.definitions import CONFIGS

VERSIONS = dict(mmpod='1', git='abc1234', torch='2', device='CPU, 2 cores')
METRICS = {'accuracy/top1': 95.0, 'spectrum/effective_rank': 7.0}


def make_run(folder, setting='digits/pod', seed=0, accuracies=(50.0, 96.0), metrics=METRICS, **changes):
    path = folder / setting / f'seed{seed}'
    entries = [{'accuracy/top1': value, 'step': epoch} for epoch, value in enumerate(accuracies, 1)]
    write_log(path, *entries, started='20260102_030405')
    (path / 'metrics.json').write_text(json.dumps(metrics))
    record = dict(finished=True, options=['a.b=1'], commands=['python x'], versions=VERSIONS, wall_s=3.5)
    Run(setting, seed, path).save({**record, 'config_hash': 'f00', **changes})


def test_a_packed_run_is_read_back(tmp_path):
    make_run(tmp_path / 'w', seed=1)
    make_run(tmp_path / 'w', seed=0, accuracies=(1.0, 2.0))
    make_run(tmp_path / 'w', seed=2, finished=False)
    added, repeated = pack(tmp_path / 'w', tmp_path / 'r')
    assert (len(added), repeated) == (2, []) and [path.name for path in (tmp_path / 'r').iterdir()] == ['digits.jsonl']
    records = read_results(tmp_path / 'r')
    assert list(records) == ['digits/pod'] and [record.seed for record in records['digits/pod']] == [0, 1]
    record = records['digits/pod'][1]
    assert record.config == 'small/pod_digits' and (CONFIGS / f'{record.config}.py').is_file()
    assert record.curve() == {1: 50.0, 2: 96.0} and record.metrics == METRICS
    assert record.device == 'CPU, 2 cores' and record.versions == dict(mmpod='1', git='abc1234', torch='2')
    assert (record.date, record.wall_s, record.config_hash) == ('2026-01-02T03:04:05', 3.5, 'f00')
    assert record.overrides == ['a.b=1'] and record.commands == ['python x']


@pytest.mark.parametrize('home', ['/home/someone', '/home/some one', "/home/some'one"])
def test_commands_are_those_of_any_clone(home, tmp_path):
    kept = ['configs/small/x.py', '--work-dir', 'work dirs/x', 'a.b=[1,2]', 'c="configs/x"']
    command = [f'{home}/my env/bin/python3.11', f'{home}/mmpod/tools/train.py', f'{home}/mmpod/{kept[0]}', *kept[1:]]
    make_run(tmp_path / 'w', commands=[shlex.join(command), 'python tools/test.py configs/y.py'])
    (record,) = collect(tmp_path / 'w')
    assert record.commands == [
        """python tools/train.py configs/small/x.py --work-dir 'work dirs/x' 'a.b=[1,2]' 'c="configs/x"'""",
        'python tools/test.py configs/y.py',
    ]


def test_a_part_of_a_metric_by_class_is_averaged(tmp_path):
    make_run(tmp_path / 'w', metrics={'accuracy/top1': 95.0, 'recall': [90.0, 40.0, 50.0, 60.0]})
    (record,) = collect(tmp_path / 'w')
    assert record.final('recall[-3:]') == 50.0
    assert record.final('accuracy/top1') == 95.0
    assert record.final('nothing[-3:]') is None
    for measured in (record, Run('x', 0, tmp_path / 'w' / 'digits/pod' / 'seed0')):
        with pytest.raises(ValueError, match=r'Expected `recall` to be a number.*4 values.*recall\[-3:\]'):
            measured.final('recall')


def test_curves_are_those_of_all_validation_metrics(tmp_path):
    """Also those that the test lacks, but nothing of the training; a later start replaces the epochs it repeats."""
    make_run(tmp_path / 'w')
    folder = tmp_path / 'w' / 'digits/pod' / 'seed0'
    write_log(
        folder,
        {'lr': 0.1, 'loss': 2.0, 'iter': 60, 'step': 60},
        {'accuracy/top1': 97.0, 'geometry/nc1': 1.5, 'loss': 0.4, 'time': 0.1, 'step': 2},
        {'accuracy/top1': 98.0, 'geometry/nc1': 1.0, 'time': 0.1, 'step': 3},
        started='20260102_030406',
    )
    (record,) = collect(tmp_path / 'w')
    assert record.curves == {
        'accuracy/top1': {'1': 50.0, '2': 97.0, '3': 98.0},
        'geometry/nc1': {'2': 1.5, '3': 1.0},
        'loss': {'2': 0.4},
    }
    assert record.metrics == METRICS
    (folder / 'metrics.json').unlink()
    assert Run('x', 0, folder).metrics() == {'accuracy/top1': 98.0, 'geometry/nc1': 1.0}


@pytest.mark.parametrize('tested', [True, False])
def test_a_metric_of_an_earlier_epoch_is_not_final(tested, tmp_path):
    make_run(tmp_path / 'w', metrics={'accuracy/top1': 95.0, 'gda/top1': 94.0})
    folder = tmp_path / 'w' / 'digits/pod' / 'seed0'
    write_log(folder, {'geometry/nc1': 1.5, 'step': 1}, {'accuracy/top1': 96.0, 'step': 2}, started='20260102_030406')
    if not tested:
        (folder / 'metrics.json').unlink()
    (record,) = collect(tmp_path / 'w')
    for run in (record, Run('x', 0, folder)):
        assert run.curve('geometry/nc1') == {1: 1.5} and run.final('geometry/nc1') is None
        assert run.final('accuracy/top1') == (94.0 if tested else 96.0)  # after a test, that of the fitted classifier


def test_a_run_is_packed_once(tmp_path):
    make_run(tmp_path / 'w')
    pack(tmp_path / 'w', tmp_path / 'r')
    text = (tmp_path / 'r' / 'digits.jsonl').read_text()
    make_run(tmp_path / 'w', seed=1)
    added, repeated = pack(tmp_path / 'w', tmp_path / 'r')
    assert [record.seed for record in added] == [1] and [record.seed for record in repeated] == [0]
    make_run(tmp_path / 'other', metrics={'accuracy/top1': 94.0})
    make_run(tmp_path / 'other', seed=5)
    with pytest.raises(ValueError, match=r'digits.jsonl has another run of digits/pod with seed 0'):
        pack(tmp_path / 'other', tmp_path / 'r')
    assert (tmp_path / 'r' / 'digits.jsonl').read_text().startswith(text)
    assert len(read_file(tmp_path / 'r' / 'digits.jsonl')) == 2


@pytest.mark.parametrize(
    'changes, missing',
    [
        (dict(config_hash=None), 'no config_hash. '),
        (dict(versions=dict(VERSIONS, git=None)), 'no git revision. '),
        (dict(config_hash=None, versions={}), 'no config_hash and no git revision. '),
    ],
)
def test_a_run_of_unknown_provenance_is_refused(tmp_path, changes, missing):
    make_run(tmp_path / 'w', **changes)
    with pytest.raises(ValueError, match=f'digits/pod/seed0 to say what it ran.*{missing}Make the run again'):
        pack(tmp_path / 'w', tmp_path / 'r')
    assert not list((tmp_path / 'r').glob('*'))


def test_unknown_studies_settings_and_overrides_are_refused(tmp_path):
    make_run(tmp_path / 'a', 'nonsense/pod')
    with pytest.raises(ValueError, match=r"a study \(paper, .*but got 'nonsense'"):
        collect(tmp_path / 'a')
    make_run(tmp_path / 'b', 'digits/nonsense')
    with pytest.raises(ValueError, match="of the study digits, but got 'nonsense'.*experiments.py list digits"):
        collect(tmp_path / 'b')
    make_run(tmp_path / 'c', 'small_dimension/feat_dim=9')
    with pytest.raises(ValueError, match='made without .*ChannelsLastHook model.head.feat_dim=9. Make it again'):
        collect(tmp_path / 'c')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        collect(tmp_path / 'nowhere')


def test_a_damaged_line_is_named_by_its_number(tmp_path):
    make_run(tmp_path / 'w')
    pack(tmp_path / 'w', tmp_path)
    path = tmp_path / 'digits.jsonl'
    line = path.read_text()
    other = line.replace('"seed": 0', '"seed": 1')
    emptied = dict(metrics=None), dict(curves=dict(a={}))
    empty = [json.dumps(dict(json.loads(line), **part)) + '\n' for part in emptied]
    for damaged in (line[:50] + '\n', '{"study": "digits"}\n', '[]\n', line.replace('"date"', '"day"'), '\n', *empty):
        path.write_text(line + damaged + other)
        with pytest.raises(ValueError, match=f'line 2 of {re.escape(str(path))} .* damaged .*Restore it from git'):
            read_file(path)
    path.write_text(line + other + line)
    with pytest.raises(ValueError, match='lines 1 and 3 are both digits/pod with seed 0'):
        read_file(path)

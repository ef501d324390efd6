"""tools/experiments.py as a user calls it: listed, run, killed, resumed, reported; and the whole paper rehearsed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mmpod.experiments.run import Run
from mmpod.experiments.selection import select

ONE_RUN = ['pod_resnet18w8_digits', '--seeds', '5']
OPTIONS = ['train_cfg.max_epochs=8', 'param_scheduler.milestones=[6]']


def test_a_killed_run_goes_on_and_is_reported(root, tmp_path, run_command):
    tool = [sys.executable, root / 'tools/experiments.py']
    where = ['--work-dir', tmp_path / 'w']
    run = Run('pod_resnet18w8_digits', 5, tmp_path / 'w' / 'pod_resnet18w8_digits' / 'seed5')
    assert 'seeds 5 not run' in run_command(*tool, 'list', *ONE_RUN, *where).stdout

    command = [*tool, 'run', *ONE_RUN, *where, '--cfg-options', *OPTIONS]
    environment = dict(os.environ, PYTHONPATH=str(root), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
    first = subprocess.Popen([str(word) for word in command], env=environment, start_new_session=True)
    deadline = time.monotonic() + 200
    while not run.accuracies():
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.1)
    assert run.state == 'running'
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert '5 interrupted at epoch' in run_command(*tool, 'list', *ONE_RUN, *where).stdout
    assert not run.record['finished']

    other = run_command(*tool, 'run', *ONE_RUN, *where, status=1)
    assert '--cfg-options' in other.stderr and 'max_epochs: 8 -> 15' in other.stderr
    second = run_command(*command)
    assert 'epoch 8/8, accuracy' in second.stdout
    assert 'resumed epoch' in (run.work_dir / 'train.log').read_text()
    assert run.state == 'done' and list(run.accuracies()) == list(range(1, 9))
    record = run.record
    assert record['versions']['git'] and record['options'] == OPTIONS and len(record['commands']) == 2
    assert {path.name for path in run.work_dir.glob('*.py')} == {'pod_resnet18w8_digits.py'}
    assert 'finished before' in run_command(*command).stdout

    text = run_command(*tool, 'report', 'digits', '--seeds', 5, *where).stdout
    accuracy = json.loads((run.work_dir / 'metrics.json').read_text())['accuracy/top1']
    assert accuracy == run.accuracies()[8]
    assert f'| POD Loss | Digits | - | {accuracy:.2f} [1] |' in text and '[1] ' + ' '.join(sorted(OPTIONS)) in text
    with (tmp_path / 'w' / 'report' / 'tables.csv').open() as file:
        rows = {row['config']: row for row in csv.DictReader(file)}
    assert float(rows['pod_resnet18w8_digits']['last_epoch']) == accuracy
    assert rows['softmax_resnet18w8_digits']['last_epoch'] == ''


def test_several_processes_keep_the_total_batch(root, tmp_path, run_command):
    tool = [sys.executable, root / 'tools/experiments.py', 'run', *ONE_RUN, '--work-dir', tmp_path / 'w']
    done = run_command(*tool, '--processes', 2, '--cfg-options', 'train_cfg.max_epochs=1')
    run = Run('pod_resnet18w8_digits', 5, tmp_path / 'w' / 'pod_resnet18w8_digits' / 'seed5')
    assert 'train_dataloader.batch_size=32' in run.record['commands'][0] and run.metrics()['accuracy/top1'] > 10
    assert 'The total batch is' not in done.stdout + (run.work_dir / 'train.log').read_text()
    odd = run_command(*tool, '--processes', 3, '--cfg-options', 'train_cfg.max_epochs=1', status=0)
    assert 'finished before' in odd.stdout
    again = [*tool[:-1], tmp_path / 'v', '--processes', 3]
    assert '--processes to divide the total batch' in run_command(*again, status=1).stderr


def test_failures_are_named_and_do_not_stop_the_others(root, tmp_path, run_command):
    tool = [sys.executable, root / 'tools/experiments.py']
    environment = dict(TINYIMAGENET_ROOT=str(tmp_path / 'nowhere'))
    command = ['run', 'pod_resnet18w8_tinyimagenet20', *ONE_RUN, '--work-dir', tmp_path / 'w']
    options = ['--cfg-options', 'train_cfg.max_epochs=1']
    done = run_command(*tool, *command, *options, env=environment, status=1)
    assert '1 of 2 runs failed' in done.stderr and 'nowhere' in done.stderr and 'TINYIMAGENET_ROOT' in done.stderr
    listed = run_command(*tool, 'list', *command[1:]).stdout
    assert '5 failed: FileNotFoundError' in listed and '5 done' in listed
    bad = run_command(*tool, 'run', 'VIII', status=2)
    assert "'VIII'" in bad.stderr


# Every dataset, stem, head, schedule and kind of run among them.
SOME = [
    'digits',
    'softmax_resnet50_tinyimagenet',
    'pod_resnet50_facescrub',
    'pod_resnet50_imagenet',
    'cot_resnet50_cifar100',
    'gda_resnet50_cifar10',
    'pod_resnet50_cifar10_released',
    'center_resnet18w8_cifar10_10k',
    '*_normadaptive',
]


@pytest.mark.parametrize('words', [SOME, pytest.param([], marks=pytest.mark.slow)], ids=['some', 'all'])
def test_rehearsal(words, root, tmp_path, run_command):
    tool = [sys.executable, root / 'tools/experiments.py', 'run', '--rehearse', '--work-dir', tmp_path]
    done = run_command(*tool, *words, timeout=1200)
    configs = select(words).configs
    assert sorted(line for line in done.stdout.splitlines() if line.endswith(': works')) == sorted(
        f'{config}: works' for config in configs
    )
    text = (tmp_path / 'report' / 'tables.md').read_text()
    assert '[1] one step on 4 images of noise' in text and 'gda_resnet50_cifar10' in text
    if not words:
        assert '| - | - | - | - |' not in text  # no cell without a run
        assert {path.name for path in (tmp_path / 'report').glob('*.png')} >= {'fig5.png', 'fig6.png', 'sc_weight.png'}
    assert not list(tmp_path.glob('*/seed0/*.pth'))
    refused = run_command(*tool, 'fig3', '--seeds', 1, status=2).stderr
    assert 'Expected --rehearse without --seeds' in refused


def test_a_broken_config_is_found(root, tmp_path, monkeypatch):
    from mmpod.experiments.rehearsal import rehearse, write_datasets

    (tmp_path / 'broken.py').write_text(
        f"_base_ = ['{root / 'configs/pod_resnet18w8_digits.py'}']\nmodel = dict(head=dict(in_channels=63))\n"
    )
    run = Run('broken', 0, tmp_path / 'run')
    error = rehearse(tmp_path / 'broken.py', run, {}, None, False)
    assert 'in_channels' in error and run.state == 'failed' and 'in_channels' in run.record['failed']
    monkeypatch.setattr('mmpod.experiments.rehearsal.Image', None)  # written once: the second call writes nothing
    (tmp_path / 'complete').touch()
    assert write_datasets(tmp_path)['IMAGENET_ROOT'] == str(tmp_path / 'imagenet')


def test_a_terminated_runner_ends_its_runs(root, tmp_path):
    command = [sys.executable, root / 'tools/experiments.py', 'run', *ONE_RUN, '--work-dir', tmp_path / 'w']
    environment = dict(os.environ, PYTHONPATH=str(root), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
    tool = subprocess.Popen([str(word) for word in command], env=environment)
    run = Run('pod_resnet18w8_digits', 5, tmp_path / 'w' / 'pod_resnet18w8_digits' / 'seed5')
    deadline = time.monotonic() + 100
    while run.state != 'running':
        assert time.monotonic() < deadline and tool.poll() is None
        time.sleep(0.1)
    tool.terminate()
    assert tool.wait(30) == 128 + signal.SIGTERM
    assert run.state == 'interrupted'

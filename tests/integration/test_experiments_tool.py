"""tools/experiments.py as a user calls it: listed, run, killed, resumed, packed, reported."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from helpers import ROOT, environment

from mmpod.experiments.run_files import Run

TOOL = [sys.executable, ROOT / 'tools/experiments.py']
ONE_RUN = ['digits/pod', '--seeds', '5']
OPTIONS = ['train_cfg.max_epochs=8', 'param_scheduler.milestones=[6]']


@pytest.mark.slow
def test_a_killed_run_goes_on_and_is_reported(tmp_path, run_command):
    where = ['--work-dir', tmp_path / 'w']
    run = Run('digits/pod', 5, tmp_path / 'w' / 'digits' / 'pod' / 'seed5')
    assert 'seeds 5 not run' in run_command(*TOOL, 'list', *ONE_RUN, *where).stdout

    command = [*TOOL, 'run', *ONE_RUN, *where, '--cfg-options', *OPTIONS]
    first = subprocess.Popen([str(word) for word in command], env=environment(), start_new_session=True)
    deadline = time.monotonic() + 200
    while not run.curve():
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.1)
    assert run.state == 'running'
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert '5 interrupted at epoch' in run_command(*TOOL, 'list', *ONE_RUN, *where).stdout
    assert not run.record['finished']

    other = run_command(*TOOL, 'run', *ONE_RUN, *where, status=1)
    assert '--cfg-options' in other.stderr and 'max_epochs: 8 -> 15' in other.stderr
    second = run_command(*command)
    assert 'epoch 8/8, accuracy' in second.stdout
    assert 'resumed epoch' in (run.work_dir / 'train.log').read_text()
    assert run.state == 'done' and list(run.curve()) == list(range(1, 9))
    record = run.record
    assert record['versions']['git'] and record['options'] == OPTIONS and len(record['commands']) == 2
    assert {path.name for path in run.work_dir.glob('*.py')} == {'pod_digits.py'}
    assert 'already finished in' in run_command(*command).stdout

    accuracy = json.loads((run.work_dir / 'metrics.json').read_text())['accuracy/top1']
    assert accuracy == run.curve()[8]
    results = ['--results', tmp_path / 'results']
    assert '1 runs added' in run_command(*TOOL, 'pack', tmp_path / 'w', *results).stdout
    assert '0 runs added' in run_command(*TOOL, 'pack', tmp_path / 'w', *results).stdout
    assert 'No finished run in' in run_command(*TOOL, 'pack', tmp_path / 'w' / 'digits', *results).stdout
    assert 'in results: seeds 5' in run_command(*TOOL, 'list', *ONE_RUN, *where, *results).stdout
    for shown in (['--work-dir', tmp_path / 'w'], [*results, '--out', tmp_path / 'out']):
        text = run_command(*TOOL, 'report', 'digits', *shown).stdout
        assert f'| {accuracy:.2f} ' in text and '| 5 * ' in text and f'of the study: `{" ".join(OPTIONS)}`' in text


@pytest.mark.slow
def test_an_evaluation_reads_the_checkpoint_of_its_training(tmp_path, run_command):
    where = ['--seeds', 0, '--work-dir', tmp_path / 'w']
    names = ['digits/gda', 'digits_shrinkage/*pooled*shared*=0.5']
    run_command(*TOOL, 'run', *names, *where, '--cfg-options', OPTIONS[0])
    for folder in ('digits/gda', 'digits_shrinkage/stage=pooled,covariance=shared,shrinkage=0.5'):
        run = Run('', 0, tmp_path / 'w' / folder / 'seed0')
        assert str(tmp_path / 'w/digits/pod/seed0/epoch_8.pth') in run.record['commands'][0]
        assert run.metrics()['gda/top1'] > 50
    assert 'model.stage=pooled' in run.record['options'] and run.record['config']['model']['shrinkage'] == 0.5


def test_studies_are_listed_and_what_was_never_shipped_is_not_run(tool, tmp_path):
    listed, error = tool('experiments', 'list')
    assert not error and 'Figures: dimension' in listed
    assert re.search(r'\| small_tuned +\| 14 +\| 0 1 2 +\| 42 ', listed)
    said, error = tool('experiments', 'run', 'small_recipe_tuning/softmax_bn*', '--work-dir', 'w')
    assert not error and 'its config was never shipped' in said and not (tmp_path / 'w').exists()


def test_a_report_without_runs_says_so(tool, tmp_path):
    assert tool('experiments', 'report', '--results', tmp_path)[1].startswith('error: Expected finished runs in')


@pytest.mark.slow
def test_a_run_can_have_several_processes(tmp_path, run_command):
    where = ['--work-dir', tmp_path / 'w']
    done = run_command(*TOOL, 'run', *ONE_RUN, *where, '--processes', 2, '--cfg-options', 'train_cfg.max_epochs=1')
    run = Run('digits/pod', 5, tmp_path / 'w' / 'digits' / 'pod' / 'seed5')
    assert run.metrics()['accuracy/top1'] > 10
    assert 'The total batch is' not in done.stdout + (run.work_dir / 'train.log').read_text()


def test_failures_are_named_and_do_not_stop_the_others(tmp_path, run_command):
    command = ['run', 'tiny/pod', *ONE_RUN, '--work-dir', tmp_path / 'w']
    variables = dict(TINYIMAGENET_ROOT=str(tmp_path / 'nowhere'))
    done = run_command(*TOOL, *command, '--cfg-options', 'train_cfg.max_epochs=1', env=variables, status=1)
    assert '1 of 2 runs failed' in done.stderr and 'nowhere' in done.stderr and 'TINYIMAGENET_ROOT' in done.stderr
    listed = run_command(*TOOL, 'list', *command[1:]).stdout
    assert '5 failed: error: Expected Tiny ImageNet in' in listed and '5 done' in listed

"""The state and the results of a run, from files that may be damaged, and the commands that make it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, write_log

from mmpod.experiments import queue
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.run_files import Run


def test_states(tmp_path):
    run = Run('a', 0, tmp_path / 'a')
    assert run.state == 'not run' and not run.work_dir.exists()
    run.save(dict(finished=False))
    assert run.state == 'interrupted'
    lock = run.acquire()
    assert run.state == 'running' and run.acquire() is None
    child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE, pass_fds=[lock.fileno()])
    lock.close()
    assert run.state == 'running'  # the child goes on
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert run.state == 'interrupted'
    run.save(dict(finished=False, failed='ValueError: no'))
    assert run.state == 'failed'
    run.save(dict(finished=True))
    assert run.state == 'done'


def test_the_state_of_a_run_that_cannot_be_written_is_known(tmp_path):
    run = Run('a', 0, tmp_path / 'a')
    run.save(dict(finished=False))
    lock = run.acquire()
    run.work_dir.chmod(0o555)
    (run.work_dir / 'lock').chmod(0o444)
    user = os.geteuid()
    for path in [tmp_path, *list(tmp_path.parents)[:-2]]:  # which pytest keeps to its user
        path.chmod(path.stat().st_mode | 0o011)
    if user == 0:
        os.seteuid(65534)  # nothing is read-only for root
    try:
        assert run.state == 'running'
        lock.close()
        assert run.state == 'interrupted'
        with pytest.raises(OSError, match='lock'):
            run.acquire()
        assert Run('b', 0, run.work_dir / 'b').state == 'not run'
    finally:
        os.seteuid(user)
        run.work_dir.chmod(0o755)
    (run.work_dir / 'lock').unlink()
    assert run.state == 'interrupted' and not (run.work_dir / 'lock').exists()


@pytest.mark.parametrize(
    'line, words',
    [
        ('null', 'is null'),
        ('{"accuracy/top1": 1.0, "step": 1}{"accuracy/top1": 2.0, "step": 2}', 'Extra data'),
        ('[' * 100_000, 'damaged .*recursion'),
        ('{"accuracy/top1": null, "step": 1}', 'None'),
        ('{"accuracy/top1": 1.0}', 'a step'),
        ('\x00', 'damaged'),
        ('{"accuracy', 'damaged'),
    ],
    ids=['null', 'joined', 'nested', 'null value', 'no step', 'binary', 'torn'],
)
def test_a_damaged_log_is_named_with_its_line(line, words, tmp_path):
    run = Run('a', 0, tmp_path)
    write_log(tmp_path, {'accuracy/top1': 10.0, 'step': 1}, torn=line + '\n{"accuracy/top1": 20.0, "step": 2}\n')
    for read in (run.curve, run.metrics):
        with pytest.raises(ValueError, match=f'scalars.json, line 2, .*{words}'):
            read()


@pytest.mark.parametrize('text', ['null', '{"finished"', '[' * 100_000, '7', ''])
@pytest.mark.parametrize('name', ['run.json', 'metrics.json'])
def test_a_damaged_record_is_named(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    run = Run('a', 0, tmp_path)
    with pytest.raises(ValueError, match=f'Expected .*{name} to be a JSON object, but it is'):
        _ = run.state if name == 'run.json' else run.metrics()


def test_torn_lines_and_final_metrics(tmp_path):
    run = Run('a', 0, tmp_path)
    assert run.curve() == {} and run.metrics() == {}
    write_log(tmp_path, *({'accuracy/top1': 10.0 * step, 'step': step} for step in (1, 2)), torn='{"accur')
    assert run.metrics() == {'accuracy/top1': 20.0}
    (tmp_path / 'metrics.json').write_text(json.dumps({'accuracy/top1': 21.0, 'accuracy/top5': 50.0}))
    assert run.metrics() == {'accuracy/top1': 21.0, 'accuracy/top5': 50.0}


def test_one_process_trains_in_one_command(tmp_path):
    expected = shlex.split(
        f"{sys.executable} {ROOT}/tools/train.py c.py --work-dir w --resume --cfg-options 'a=[1, 2]'"
    )
    assert Launcher().train(Path('c.py'), Path('w'), ['--cfg-options', 'a=[1, 2]']) == expected


def test_torchrun_starts_several_processes():
    train = shlex.join(Launcher(4).train(Path('c.py'), Path('w'), ['x']))
    assert ' -m torch.distributed.run --standalone ' in train and ' --nproc-per-node=4 ' in train
    assert train.endswith(f' {ROOT}/tools/train.py c.py --work-dir w --resume --launcher pytorch x')
    test = shlex.join(Launcher(4).test(Path('c.py'), Path('w/e.pth'), Path('w'), []))
    assert f' {ROOT}/tools/test.py c.py w/e.pth ' in test and test.endswith(' --launcher pytorch')


def test_slurm_starts_its_own_processes():
    slurm = Launcher(16, 'gpu')
    assert slurm.train(Path('c.py'), Path('w'), [])[:6] == shlex.split(f'bash {ROOT}/tools/slurm_train.sh gpu c c.py w')
    assert slurm.environment(0, 1) == dict(GPUS='16', GPUS_PER_NODE='8')


def test_runs_at_the_same_time_share_out_the_gpus(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '2,3,5,7')
    assert Launcher(2).environment(1, 2)['CUDA_VISIBLE_DEVICES'] == '5,7'
    assert 'CUDA_VISIBLE_DEVICES' not in Launcher(2).environment(1, 3)  # too few: they share
    assert 'CUDA_VISIBLE_DEVICES' not in Launcher(4).environment(0, 1)
    assert not any('PORT' in name for name in Launcher(4).environment(0, 1))  # torchrun finds a free one


def test_revision_is_that_of_this_repository_or_none(tmp_path, monkeypatch):
    subprocess.run(['git', 'init', '-q', tmp_path], check=True)
    installed = tmp_path / 'site-packages' / 'mmpod' / '.mim' / 'tools'
    installed.mkdir(parents=True)
    assert queue.versions()['git']
    monkeypatch.setattr(queue, 'TOOLS', installed)
    assert queue.versions()['git'] is None
    monkeypatch.undo()
    monkeypatch.setenv('PATH', str(tmp_path))
    assert queue.versions()['git'] is None

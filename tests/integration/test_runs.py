"""States of runs, and making many of them, with small commands in the place of trainings."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from mmpod.experiments.launcher import Launcher

from mmpod.experiments.launch import Plan, plan_run
from mmpod.experiments.queue import run_all
from mmpod.experiments.run import Run


def python(code):
    return [sys.executable, '-c', code]


def plan(tmp_path, name, *codes, needs=None):
    return Plan(Run(name, 0, tmp_path / name), [python(code) for code in codes], 1, dict(options=[]), needs)


def test_states(tmp_path):
    run = Run('a', 0, tmp_path / 'a')
    assert run.state == 'not run' and not run.work_dir.exists()
    run.save(dict(finished=False))
    assert run.state == 'interrupted'
    lock = run.acquire()
    assert run.state == 'running' and run.acquire() is None
    child = subprocess.Popen(python('input()'), stdin=subprocess.PIPE, pass_fds=[lock.fileno()])
    lock.close()
    assert run.state == 'running'  # the child goes on
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert run.state == 'interrupted'
    run.save(dict(finished=False, failed='ValueError: no'))
    assert run.state == 'failed'
    run.save(dict(finished=True))
    assert run.state == 'done'


def test_commands_of_a_run_follow_each_other_and_a_failure_stops_only_its_own(tmp_path, capsys):
    plans = [
        plan(tmp_path, 'bad', 'raise ValueError("the reason")', f'open({str(tmp_path / "never")!r}, "w")'),
        plan(tmp_path, 'good', f'open({str(tmp_path / "first")!r}, "w")', f'open({str(tmp_path / "first")!r})'),
    ]
    failed = run_all(plans, 1, Launcher())
    assert [run.name for run in failed] == ['bad'] and failed[0].record['failed'] == 'ValueError: the reason'
    assert plans[0].run.state == 'failed' and plans[1].run.state == 'done' and not (tmp_path / 'never').exists()
    assert 'the reason' in capsys.readouterr().err
    record = plans[1].run.record
    assert len(record['commands']) == 2 and record['versions']['torch'] and record['options'] == []
    assert run_all([plan(tmp_path, 'bad', 'pass')], 1, Launcher()) == [] and 'failed' not in plans[0].run.record


def test_an_evaluation_waits_for_its_training_and_is_not_made_without_it(tmp_path, capsys):
    trained = plan(tmp_path, 'trained', f'import time; time.sleep(1); open({str(tmp_path / "file")!r}, "w")')
    evaluated = plan(tmp_path, 'evaluated', f'open({str(tmp_path / "file")!r})', needs=trained.run)
    assert run_all([evaluated, trained], 2, Launcher()) == [] and evaluated.run.state == 'done'
    alone = plan(tmp_path, 'alone', 'pass', needs=Run('missing', 0, tmp_path / 'missing'))
    assert run_all([alone], 1, Launcher()) == [alone.run]
    assert 'missing, not done' in capsys.readouterr().out and alone.run.state == 'not run'


def test_an_evaluation_of_which_only_the_logs_came_over_says_so(tmp_path, root, capsys):
    trained = Run('pod', 0, tmp_path / 'pod')
    trained.save(dict(finished=True))
    config = root / 'configs/gda_resnet18w8_digits.py'
    source = (root / 'configs/pod_resnet18w8_digits.py', trained)
    evaluation = plan_run(config, Run('gda', 0, tmp_path / 'gda'), Launcher(), [], source)
    assert run_all([evaluation], 1, Launcher()) == [evaluation.run] and evaluation.run.state == 'not run'
    assert re.search(r'gda seed 0 needs .*pod/epoch_15.pth, but .* only the logs .* away', capsys.readouterr().out)
    (trained.work_dir / 'epoch_15.pth').touch()
    assert evaluation.blocked_reason == ''


def test_a_run_that_another_process_makes_is_left_to_it(tmp_path, capsys):
    other = plan(tmp_path, 'a', f'open({str(tmp_path / "made")!r}, "w")')
    lock = other.run.acquire()
    assert run_all([other], 1, Launcher()) == [] and not (tmp_path / 'made').exists()
    assert 'another process' in capsys.readouterr().out
    lock.close()


def test_interrupting_ends_the_processes(tmp_path):
    code = f'import os, time; open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid())); time.sleep(60)'
    script = (
        'from pathlib import Path; from mmpod.experiments.launch import Plan, plan_run; '
        'from mmpod.experiments.launcher import Launcher; '
        'from mmpod.experiments.queue import run_all; from mmpod.experiments.run import Run; '
        f'run_all([Plan(Run("a", 0, Path({str(tmp_path / "a")!r})), [{python(code)!r}], 1)], 1, Launcher())'
    )
    # Where the suite itself was started in the background of a shell, its children would ignore an interrupt.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    main = subprocess.Popen(python(script), stderr=subprocess.DEVNULL, preexec_fn=heed)
    deadline = time.monotonic() + 60
    while not (tmp_path / 'pid').is_file() or not (tmp_path / 'pid').read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    main.send_signal(signal.SIGINT)
    main.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'pid').read_text()), 0)
    assert Run('a', 0, tmp_path / 'a').state == 'interrupted'


def test_torn_lines_and_final_metrics(tmp_path):
    run = Run('a', 0, tmp_path)
    assert run.accuracies() == {} and run.metrics() == {}
    log = tmp_path / '2026' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"accuracy/top1": 10.0, "step": 1}\n{"accuracy/top1": 20.0, "step": 2}\n{"accur')
    assert run.metrics() == {'accuracy/top1': 20.0}
    (tmp_path / 'metrics.json').write_text(json.dumps({'accuracy/top1': 21.0, 'accuracy/top5': 50.0}))
    assert run.metrics() == {'accuracy/top1': 21.0, 'accuracy/top5': 50.0}


def test_launchers(tmp_path, root, monkeypatch):
    config, folder = tmp_path / 'c.py', tmp_path / 'w'
    tools = root / 'tools'
    alone, four, slurm = Launcher(), Launcher(4), Launcher(16, 'gpu')
    assert alone.train(config, folder, ['x']) == [
        *(sys.executable, str(tools / 'train.py'), str(config), '--work-dir', str(folder), '--resume', 'x')
    ]
    assert four.train(config, folder, [])[:4] == ['bash', str(tools / 'dist_train.sh'), str(config), '4']
    assert slurm.train(config, folder, [])[:6] == [
        *('bash', str(tools / 'slurm_train.sh'), 'gpu', 'c', str(config), str(folder))
    ]
    assert four.test(config, folder / 'e.pth', folder, [])[:5] == [
        *('bash', str(tools / 'dist_test.sh'), str(config), str(folder / 'e.pth'), '4')
    ]
    assert slurm.environment(0, 1) == dict(GPUS='16', GPUS_PER_NODE='8')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '2,3,5,7')
    assert Launcher(2).environment(1, 2)['CUDA_VISIBLE_DEVICES'] == '5,7'
    assert 'CUDA_VISIBLE_DEVICES' not in Launcher(2).environment(1, 3)  # too few: they share
    assert 'CUDA_VISIBLE_DEVICES' not in Launcher(4).environment(0, 1)


def test_revision_is_that_of_this_repository_or_none(tmp_path, monkeypatch):
    from mmpod.experiments import queue as jobs

    subprocess.run(['git', 'init', '-q', tmp_path], check=True)
    installed = tmp_path / 'site-packages' / 'mmpod' / '.mim' / 'tools'
    installed.mkdir(parents=True)
    assert jobs.versions()['git']
    monkeypatch.setattr(jobs, 'TOOLS', installed)
    assert jobs.versions()['git'] is None
    monkeypatch.undo()
    monkeypatch.setenv('PATH', str(tmp_path))
    assert jobs.versions()['git'] is None


def test_finished_processes_of_a_launcher_leave_at_once():
    """What other packages do at exit is done; what keeps the interpreter, here a thread, is not waited for."""
    script = (
        'import atexit, threading, time; from mmpod.engine.runner_session import exit_process\n'
        'atexit.register(print, "closed")\n'
        'threading.Thread(target=time.sleep, args=(100,)).start(); exit_process(); print("stayed")'
    )
    done = subprocess.run(
        python(script), capture_output=True, text=True, timeout=60, env=dict(os.environ, WORLD_SIZE='2')
    )
    lines = done.stdout.splitlines()  # the forks print on their import
    assert done.returncode == 0 and lines[-1] == 'closed' and 'stayed' not in lines
    alone = python('from mmpod.engine.runner_session import exit_process; exit_process(); print("stayed")')
    assert subprocess.run(alone, capture_output=True, text=True, timeout=60).stdout.endswith('stayed\n')

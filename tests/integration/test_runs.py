"""Making many runs, with small commands in place of trainings."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmpod.experiments import launcher as launcher_module
from mmpod.experiments import queue as queue_module
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.queue import run_all
from mmpod.experiments.run_files import Run
from mmpod.experiments.run_plan import Plan, plan_run


def python(code):
    return [sys.executable, '-c', code]


def plan(tmp_path, name, *codes, needs=None):
    return Plan(Run(name, 0, tmp_path / name), [python(code) for code in codes], 1, dict(options=[]), needs)


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
    other = plan(tmp_path, 'other', 'pass')
    assert run_all([other, evaluated, trained], 2, Launcher()) == [] and evaluated.run.state == 'done'
    assert '2 runs to go' in capsys.readouterr().out  # after `other`: the evaluation counts, too
    alone = plan(tmp_path, 'alone', 'pass', needs=Run('missing', 0, tmp_path / 'missing'))
    assert run_all([alone], 1, Launcher()) == [alone.run]
    assert 'missing, which is not done' in capsys.readouterr().out and alone.run.state == 'not run'


def test_an_evaluation_without_the_checkpoint_of_its_training_fails(tmp_path, root):
    """As if only the logs of the training had been copied here, or if its config saves no checkpoint."""
    trained = Run('pod', 0, tmp_path / 'pod')
    trained.save(dict(finished=True))
    config, source = root / 'configs/small/gda_digits.py', (root / 'configs/small/pod_digits.py', trained)
    evaluation = plan_run(config, Run('gda', 0, tmp_path / 'gda'), Launcher(), [], source)
    assert run_all([evaluation], 1, Launcher()) == [evaluation.run]
    expected = f'error: Expected the checkpoint `{trained.work_dir}/epoch_15.pth` to be a file, but it does not exist.'
    assert evaluation.run.record['failed'] == expected


def test_a_run_that_another_process_makes_is_left_to_it(tmp_path, capsys):
    other = plan(tmp_path, 'a', f'open({str(tmp_path / "made")!r}, "w")')
    lock = other.run.acquire()
    assert run_all([other], 1, Launcher()) == [] and not (tmp_path / 'made').exists()
    assert 'another process' in capsys.readouterr().out
    lock.close()


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def written_pids(tmp_path):
    return [int(path.read_text()) for path in tmp_path.glob('*.pid') if path.read_text()]


def alive(pid):
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


WRITE_PID = """
import os, pathlib, signal, sys, time
def write_pid():
    pathlib.Path({folder!r}, f'{{os.getpid()}}.pid').write_text(str(os.getpid()))
"""
# With a worker that ends when its parent does, as the data loader's workers do.
TRAINING = (
    WRITE_PID
    + """
training, is_worker = os.getpid(), os.fork() == 0
write_pid()
for _ in range(600):
    if is_worker and os.getppid() != training:
        break
    time.sleep(0.1)
"""
)
SLOW_TO_END = 'import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(4), sys.exit()))\n'


def start_runner(tmp_path, *plans):
    """Make runs two at a time in a process of its own, and return it when four processes have written their ids."""

    def make():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background or under nohup they are ignored
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        sys.stderr = (tmp_path / 'stderr').open('w')
        run_all([*plans, plan(tmp_path, 'later', 'pass')], 2, Launcher())

    runner = multiprocessing.get_context('fork').Process(target=make)
    runner.start()
    wait_for(lambda: len(written_pids(tmp_path)) == 4)
    return runner


def trainings(tmp_path, prefix=''):
    return [plan(tmp_path, name, prefix + TRAINING.format(folder=str(tmp_path))) for name in ('a', 'b')]


def states(tmp_path):
    return [Run(name, 0, tmp_path / name).state for name in ('a', 'b', 'later')]


@pytest.mark.parametrize(
    'number, status',
    [
        (signal.SIGINT, 128 + signal.SIGINT),
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGHUP, 128 + signal.SIGHUP),  # a closed terminal
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_whatever_ends_the_runner_ends_all_processes(number, status, tmp_path):
    runner = start_runner(tmp_path, *trainings(tmp_path))
    assert states(tmp_path) == ['running', 'running', 'not run']
    os.kill(runner.pid, number)
    runner.join(30)
    assert runner.exitcode == status
    wait_for(lambda: not any(map(alive, written_pids(tmp_path))))
    wait_for(lambda: states(tmp_path) == ['interrupted', 'interrupted', 'not run'])  # the locks are released
    said = (tmp_path / 'stderr').read_text()
    assert 'Traceback' not in said and ('Repeat the command to continue' in said) == (status > 0)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_runner_ends_runs_of_several_processes(number, tmp_path, monkeypatch):
    monkeypatch.setattr(launcher_module, 'TOOLS', tmp_path)
    (tmp_path / 'train.py').write_text(WRITE_PID.format(folder=str(tmp_path)) + 'write_pid(); time.sleep(60)')
    command = Launcher(4).train(tmp_path / 'config.py', tmp_path, [])
    runner = start_runner(tmp_path, Plan(Run('a', 0, tmp_path / 'a'), [command], 1, dict(options=[])))
    os.kill(runner.pid, number)
    wait_for(lambda: not any(map(alive, written_pids(tmp_path))))
    runner.join(30)


def test_a_second_interrupt_exits_at_once_and_ends_the_trainings(tmp_path):
    runner = start_runner(tmp_path, *trainings(tmp_path, SLOW_TO_END))
    os.kill(runner.pid, signal.SIGINT)
    wait_for(lambda: 'Interrupted' in (tmp_path / 'stderr').read_text())
    os.kill(runner.pid, signal.SIGINT)
    runner.join(3)
    assert runner.exitcode == 128 + signal.SIGINT  # at once, though the trainings take longer
    assert any(map(alive, written_pids(tmp_path)))
    wait_for(lambda: not any(map(alive, written_pids(tmp_path))))
    wait_for(lambda: states(tmp_path) == ['interrupted', 'interrupted', 'not run'])
    assert 'Traceback' not in (tmp_path / 'stderr').read_text()


def test_a_training_that_ignores_sigterm_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(queue_module, 'PATIENCE_SECONDS', 0.2)
    code = WRITE_PID.format(folder=str(tmp_path)) + 'signal.signal(signal.SIGTERM, signal.SIG_IGN); write_pid(); '
    pool = queue_module.Pool([plan(tmp_path, 'a', code + 'time.sleep(60)')], 1, Launcher())
    with ThreadPoolExecutor(1) as threads:
        made = threads.submit(pool.make, pool.plans[0])
        wait_for(lambda: written_pids(tmp_path))
        pool.stopping.set()
        assert made.result(timeout=20) == {Run('a', 0, tmp_path / 'a'): False}
    assert not any(map(alive, written_pids(tmp_path)))


def test_what_a_command_leaves_running_ends_with_it(tmp_path):
    code = WRITE_PID.format(folder=str(tmp_path)) + (
        'if os.fork() == 0: write_pid(); time.sleep(60)\n'
        f'while not list(pathlib.Path({str(tmp_path)!r}).glob("*.pid")): time.sleep(0.02)'
    )
    assert run_all([plan(tmp_path, 'a', code)], 1, Launcher()) == []
    wait_for(lambda: not any(map(alive, written_pids(tmp_path))))


def test_an_ignored_hangup_stays_ignored(tmp_path):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code = f'import os, signal; os.kill({os.getpid()}, signal.SIGHUP)'
        assert run_all([plan(tmp_path, 'a', code)], 1, Launcher()) == []
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_damaged_run_fails_alone(tmp_path, capsys):
    damaged, good = plan(tmp_path, 'damaged', 'pass'), plan(tmp_path, 'good', 'pass')
    damaged.run.work_dir.mkdir()
    (damaged.run.work_dir / 'run.json').write_text('[]')
    assert run_all([damaged, good], 1, Launcher()) == [damaged.run] and good.run.state == 'done'
    assert 'damaged/run.json to be a JSON object' in capsys.readouterr().err


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

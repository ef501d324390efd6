"""Execute many runs, one after another or several at a time, on one machine or a cluster, and resume them."""

import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Optional, TextIO

import mmengine
import mmpretrain
import torch

from mmpod.experiments.launcher import Launcher
from mmpod.experiments.metrics import number_format
from mmpod.experiments.run_files import Run, default_metric
from mmpod.experiments.run_plan import Plan, check_unchanged
from mmpod.utils.paths import TOOLS
from mmpod.version import __version__

__all__ = ['run_all', 'versions']

# Becomes the command, to which Linux sends SIGTERM when the process that started it ends, for whatever reason.
END_WITH_PARENT = """
import ctypes, os, sys
if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
TAIL_LINES = 25
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 60  # torchrun takes up to 30 s to end its processes


def versions() -> dict[str, Optional[str]]:
    """Return what is needed to repeat a run: package versions, git revision, hardware."""

    def git(*words: str) -> str:
        return subprocess.run(['git', '-C', str(TOOLS), *words], capture_output=True, text=True).stdout.strip()

    # An installed mmpod may be inside another repository, or on a machine without git.
    ours = shutil.which('git') is not None and git('rev-parse', '--show-prefix') == 'tools/'
    return dict(
        mmpod=__version__,
        git=git('describe', '--always', '--dirty') if ours else None,
        mmpretrain=mmpretrain.__version__,
        mmengine=mmengine.__version__,
        torch=torch.__version__,
        python=platform.python_version(),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else f'CPU, {os.cpu_count()} cores',
    )


class Job:
    """A plan in progress: its record, its log and how much of its progress has been shown."""

    def __init__(self, plan: Plan, variables: dict[str, str], lock: TextIO, stopping: threading.Event):
        self.plan, self.run, self.variables, self.lock, self.stopping = plan, plan.run, variables, lock, stopping
        if self.run.record.get('config_hash') != plan.details.get('config_hash'):
            self.run.start_over()
        self.earlier_s, self.started = self.run.record.get('wall_s', 0.0), time.monotonic()
        curve = self.run.curve(default_metric([self.run]))
        self.shown, self.at_start = len(curve), max(curve, default=0)
        self.record = dict(
            plan.details,
            name=self.run.name,
            seed=self.run.seed,
            commands=[shlex.join(command) for command in plan.commands],
            versions=versions(),
            environment=variables,
            finished=False,
        )

    def save(self, **changes) -> None:
        """Update `run.json`."""
        self.record.update(changes, wall_s=round(self.earlier_s + time.monotonic() - self.started, 1))
        self.run.save(self.record)

    def make(self) -> bool:
        """Run the commands in order and return whether all succeeded; if stopped, the run counts as interrupted."""
        path = self.run.work_dir / 'train.log'
        self.save()
        for command in self.plan.commands:
            with path.open('a') as log:
                status = self._call(command, log)
            self.save()
            if self.stopping.is_set():
                return False
            if status != 0:
                lines = path.read_text(errors='replace').splitlines()
                last = next((line for line in reversed(lines) if line.strip()), f'exit status {status}')
                self.save(failed=last)  # the last line names the error if it came from Python
                tail = '\n'.join(lines[-TAIL_LINES:])
                print(f'{self.run.label} failed. The end of {path}:\n{tail}', file=sys.stderr, flush=True)
                return False
        self.save(finished=True)
        return True

    def _call(self, command: Sequence[str], log: TextIO) -> int:
        """Return the exit status of a command; it and its loader workers hold the lock until the last of them ends."""
        process = subprocess.Popen(
            [sys.executable, '-I', '-c', END_WITH_PARENT, str(os.getpid()), *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(os.environ, **self.variables),
            pass_fds=[self.lock.fileno()],
            start_new_session=True,  # signals from the terminal reach only this process
        )
        try:
            while process.poll() is None and not self.stopping.wait(POLL_SECONDS):
                self._show_progress()
            self._show_progress()
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):  # also ends loader workers; torchrun ends its processes
                with suppress(ProcessLookupError, PermissionError):  # nothing is left, on macOS but a zombie
                    os.killpg(process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE_SECONDS)
                    break
        return process.returncode

    def _show_progress(self) -> None:
        metric, total = default_metric([self.run]), self.plan.num_epochs
        curve = self.run.curve(metric)
        for epoch in list(curve)[self.shown :]:
            left = (time.monotonic() - self.started) / max(epoch - self.at_start, 1) * (total - epoch)
            value = format(curve[epoch], number_format(metric))
            print(f'{self.run.label}: epoch {epoch}/{total}, {metric} {value}, about {_clock(left)} left', flush=True)
            self.save()
        self.shown = len(curve)


class Pool:
    """State shared by the threads that make the runs."""

    def __init__(self, plans: Sequence[Plan], jobs: int, launcher: Launcher):
        self.plans, self.jobs, self.launcher = plans, jobs, launcher
        self.stopping = threading.Event()
        self.slots: SimpleQueue[int] = SimpleQueue()
        for slot in range(jobs):
            self.slots.put(slot)

    def make(self, plan: Plan) -> dict[Run, bool]:
        """Make a run and then those that need it; return for each whether it succeeded."""
        slot = self.slots.get()
        try:
            made = {plan.run: self._make(plan, slot)}
        except (OSError, ValueError) as error:  # such as a folder that cannot be written, or a damaged log
            print(f'{plan.run.label} failed: {error}', file=sys.stderr, flush=True)
            made = {plan.run: False}
        finally:
            self.slots.put(slot)
        for other in self.plans:
            if other.needs == plan.run and not self.stopping.is_set():
                made.update(self.make(other))
        return made

    def _make(self, plan: Plan, slot: int) -> bool:
        lock = plan.run.acquire()
        if lock is None:
            print(f'{plan.run.label}: another process is running it', flush=True)
            return True
        with lock:
            if 'config' in plan.details:  # another command may have made or started it since it was planned
                check_unchanged(plan.run, plan.details['config'], is_running=False)
            if plan.run.state == 'done':
                print(f'{plan.run.label}: already finished in {plan.run.work_dir}', flush=True)
                return True
            if blocked_reason := plan.blocked_reason:
                print(blocked_reason, flush=True)
                return False
            return Job(plan, self.launcher.environment(slot, self.jobs), lock, self.stopping).make()


def run_all(plans: Sequence[Plan], jobs: int, launcher: Launcher) -> list[Run]:
    """Make all runs, ``jobs`` at a time, and show their progress. A failed run does not stop the others.

    A run that another process is running, or has finished since it was planned, is skipped. A run fails if one that it
    needs is not done. An interrupt, SIGTERM or SIGHUP also ends the runs; they count as interrupted. On Linux they end
    even if this process is killed. Call it from the main thread.

    Returns:
        list[Run]: The runs that failed.
    """
    pool, started = Pool(plans, jobs, launcher), time.monotonic()
    threads = ThreadPoolExecutor(jobs)
    runs = {plan.run for plan in plans}
    made: dict[Run, bool] = {}
    futures: list[Future] = []
    try:
        with _signals_as_exit():
            futures += [threads.submit(pool.make, plan) for plan in plans if plan.needs not in runs]
            for future in as_completed(futures):
                made.update(future.result())
                if to_go := len(runs) - len(made):
                    left = (time.monotonic() - started) / len(made) * to_go
                    print(f'{to_go} runs to go, about {_clock(left)}', flush=True)
            return [run for run, succeeded in made.items() if not succeeded]
    except (KeyboardInterrupt, SystemExit) as stopped:
        # From now on another interrupt exits at once; the remaining processes end with this one.
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
        status = 128 + signal.SIGINT if isinstance(stopped, KeyboardInterrupt) else stopped.code
        print('Interrupted; stopping the runs. Repeat the command to continue.', file=sys.stderr, flush=True)
        raise SystemExit(status) from None
    finally:
        pool.stopping.set()
        threads.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):  # a wait without end can miss a second interrupt
            time.sleep(POLL_SECONDS)


@contextmanager
def _signals_as_exit() -> Iterator[None]:
    """Raise SystemExit in the block on SIGTERM and SIGHUP (a closed terminal), unless ignored, as with nohup."""

    def leave(number, frame):
        sys.exit(128 + number)

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _clock(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f'{hours} h {minutes} min'
    return f'{minutes} min' if minutes else f'{seconds:.0f} s'

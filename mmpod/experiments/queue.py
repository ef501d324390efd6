"""Running many trainings: one after another or several at a time, on one machine or a cluster, resumably."""

import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import Optional, Sequence

import mmengine
import mmpretrain
import torch

from mmpod.experiments.launch import Plan
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.run import Run
from mmpod.utils.paths import TOOLS
from mmpod.version import __version__

__all__ = ['run_all', 'versions']

TAIL_LINES = 25
POLL_SECONDS = 0.5


def versions() -> dict[str, Optional[str]]:
    """Return what a reader needs to repeat a run: package versions, git revision, hardware."""

    def git(*words: str) -> str:
        return subprocess.run(['git', '-C', str(TOOLS), *words], capture_output=True, text=True).stdout.strip()

    # An installed mmpod may lie inside somebody else's repository, on a machine without git.
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
    """A plan in progress: its present process, its log and what of its progress has been shown."""

    def __init__(self, plan: Plan, slot: int, variables: dict[str, str], lock):
        self.plan, self.run, self.slot, self.lock = plan, plan.run, slot, lock
        self.record = dict(
            plan.details,
            name=self.run.name,
            seed=self.run.seed,
            commands=[shlex.join(command) for command in plan.commands],
            versions=versions(),
            environment=variables,
            finished=False,
            wall_s=self.run.record.get('wall_s', 0.0),
        )
        self.earlier_s = self.record['wall_s']
        self.started = time.monotonic()
        self.shown = len(self.run.accuracies())
        self.at_start = max(self.run.accuracies(), default=0)
        self.log = (self.run.work_dir / 'train.log').open('a')
        self.variables = variables
        self.todo = list(plan.commands)
        self.next_command()

    @property
    def seconds(self) -> float:
        """Time since this start."""
        return time.monotonic() - self.started

    def save(self, **changes) -> None:
        """Bring `run.json` up to date."""
        self.record.update(wall_s=round(self.earlier_s + self.seconds, 1), **changes)
        self.run.save(self.record)

    def next_command(self) -> None:
        """Start the next command; its processes inherit the lock, so that it lasts as long as any of them."""
        self.process = subprocess.Popen(
            self.todo.pop(0),
            stdout=self.log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(os.environ, **self.variables),
            pass_fds=[self.lock.fileno()],
        )
        self.save()

    def poll(self) -> Optional[int]:
        """Show new epochs, keep the record, go on to the next command; return the exit status after the last one."""
        status = self.process.poll()
        curve = self.run.accuracies()
        for epoch in list(curve)[self.shown :]:
            left = self.seconds / max(epoch - self.at_start, 1) * (self.plan.num_epochs - epoch)
            progress = f'epoch {epoch}/{self.plan.num_epochs}, accuracy {curve[epoch]:.2f} %, about {left:.0f} s left'
            print(f'{self.run.name} seed {self.run.seed}: {progress}', flush=True)
            self.save()
        self.shown = len(curve)
        if status == 0 and self.todo:
            self.next_command()
            return None
        if status is not None:
            self.log.close()
            self.save(finished=status == 0, **({} if status == 0 else {'failed': self.last_log_line()}))
        return status

    def last_log_line(self) -> str:
        """Return the last line of the log, which after a Python error names it."""
        lines = [line for line in (self.run.work_dir / 'train.log').read_text().splitlines() if line.strip()]
        return lines[-1] if lines else f'exit status {self.process.returncode}'

    def stop(self) -> None:
        """End the present process and let go of the run, which counts as interrupted then."""
        self.process.terminate()
        self.process.wait()
        self.save()


def run_all(plans: Sequence[Plan], jobs: int, launcher: Launcher) -> list[Run]:
    """Make all runs, ``jobs`` at a time, showing progress; a failed one does not stop the others.

    A run that another process is making, or has made since it was planned, is left to it. A run that lacks what it
    needs fails. An interrupt or SIGTERM ends the runs as well; they count as interrupted. Call it from the main thread.

    Returns:
        list[Run]: The runs that failed.
    """
    queue, running, failed, durations = list(plans), [], [], []
    free = list(range(jobs))
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        while queue or running:
            while free and (plan := _next_ready(queue, [job.run for job in running])):
                lock = plan.run.acquire()
                if lock is None:
                    print(f'{plan.run.name} seed {plan.run.seed}: another process is making it', flush=True)
                elif plan.run.record.get('finished'):
                    lock.close()
                    print(f'{plan.run.name} seed {plan.run.seed}: another process has made it', flush=True)
                elif blocked_reason := plan.blocked_reason:
                    lock.close()
                    failed.append(plan.run)
                    print(blocked_reason, flush=True)
                else:
                    slot = free.pop(0)
                    running.append(Job(plan, slot, launcher.environment(slot, jobs), lock))
            time.sleep(POLL_SECONDS)
            for job in list(running):
                status = job.poll()
                if status is None:
                    continue
                running.remove(job)
                job.lock.close()
                free.append(job.slot)
                durations.append(job.seconds)
                if status != 0:
                    failed.append(job.run)
                    log = job.run.work_dir / 'train.log'
                    tail = '\n'.join(log.read_text().splitlines()[-TAIL_LINES:])
                    print(f'{job.run.name} seed {job.run.seed} failed. The end of {log}:\n{tail}', file=sys.stderr)
                if queue:
                    left = sum(durations) / len(durations) * len(queue) / jobs
                    print(f'{len(queue)} runs to go, about {_clock(left)}', flush=True)
    finally:
        for job in running:
            job.stop()
        signal.signal(signal.SIGTERM, before)
    return failed


def _next_ready(queue: list[Plan], running: list[Run]) -> Optional[Plan]:
    """Take the first plan out of ``queue`` that waits for nothing in it or in ``running``."""
    pending = [plan.run for plan in queue] + running
    for index, plan in enumerate(queue):
        if plan.needs not in pending:
            return queue.pop(index)
    return None


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f'{minutes // 60} h {minutes % 60} min' if minutes >= 60 else f'{minutes} min'

"""Running many trainings: one after another or several at a time, on one machine or a cluster, resumably."""

import argparse
import os
import platform
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Sequence

import mmengine
import mmpretrain
import torch
from mmengine.config import Config, DictAction

import mmpod

from .launcher import TOOLS, Launcher
from .runs import Run

__all__ = ['Plan', 'parse_overrides', 'plan_run', 'run_all', 'versions']

TAIL_LINES = 25
POLL_SECONDS = 0.5


@dataclass
class Plan:
    """A run to make.

    Attributes:
        run: Where it goes.
        commands: What to call, one after another.
        num_epochs: Epochs of its training, for the time left; 0 for an evaluation.
        details: What `run.json` keeps besides commands and versions, such as the overrides of the config.
        needs: A run that must be done before.
    """

    run: Run
    commands: Sequence[Sequence[str]]
    num_epochs: int
    details: dict = field(default_factory=dict)
    needs: Optional[Run] = None


def parse_overrides(options: Sequence[str]) -> dict:
    """Return ``--cfg-options`` as the runs will read them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def plan_run(
    config: Path,
    run: Run,
    launcher: Launcher,
    overrides: Sequence[str],
    source: Optional[tuple[Path, Run]] = None,
    test: bool = True,
) -> Plan:
    """Return how to train a config and test it, or to evaluate what another run has trained.

    Args:
        config: The leaf.
        run: Where it goes, and its seed.
        launcher: How to start it.
        overrides: ``key=value`` options of the config. The total batch is kept however many processes there are.
        source: For an evaluation, config and run of the training.
        test: Test the last checkpoint after training.

    Raises:
        ValueError: The run was begun with other overrides, or the batch cannot be split over the processes.
    """
    overrides = list(overrides)
    begun = run.record.get('options', overrides)
    if begun != overrides:
        raise ValueError(
            f'Expected --cfg-options to be those that {run.work_dir} was begun with, {begun}, but got {overrides}. '
            'Repeat them, or choose another --work-dir.'
        )
    trained, made_by = source or (config, run)
    cfg = Config.fromfile(trained)
    cfg.merge_from_dict(parse_overrides(overrides))
    batch, rest = divmod(cfg.train_dataloader.batch_size, launcher.processes)
    if rest:
        raise ValueError(
            f'Expected --processes to divide the total batch of {config.stem}, {cfg.train_dataloader.batch_size}, but '
            f'got {launcher.processes}.'
        )
    options = ['--cfg-options', f'randomness.seed={run.seed}', *overrides]
    if launcher.processes > 1:
        options.append(f'train_dataloader.batch_size={batch}')
    commands = [] if source else [launcher.train(config, run.work_dir, options)]
    if source or test:
        checkpoint = made_by.work_dir / f'epoch_{cfg.train_cfg.max_epochs}.pth'
        commands.append(launcher.test(config, checkpoint, run.work_dir, options))
    return Plan(run, commands, cfg.train_cfg.max_epochs, dict(options=overrides), needs=source and made_by)


def versions() -> dict[str, Optional[str]]:
    """Return what a reader needs to repeat a run: package versions, git revision, hardware."""
    revision = subprocess.run(
        ['git', '-C', str(TOOLS), 'describe', '--always', '--dirty'], capture_output=True, text=True
    )
    return dict(
        mmpod=mmpod.__version__,
        git=revision.stdout.strip() or None,
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
        self.at_start = self.shown = len(self.run.accuracies())
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
            left = self.seconds / max(len(curve) - self.at_start, 1) * (self.plan.num_epochs - len(curve))
            progress = f'epoch {epoch}/{self.plan.num_epochs}, accuracy {curve[epoch]:.2f} %, about {left:.0f} s left'
            print(f'{self.run.name} seed {self.run.seed}: {progress}', flush=True)
            self.save()
        self.shown = len(curve)
        if status == 0 and self.todo:
            self.next_command()
            return None
        if status is not None:
            self.log.close()
            self.save(finished=status == 0, **({} if status == 0 else {'failed': self.last_words()}))
        return status

    def last_words(self) -> str:
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

    A run that another process is making is left to it. A run whose ``needs`` are not done fails.

    Returns:
        list[Run]: The runs that failed.
    """
    queue, running, failed, durations = list(plans), [], [], []
    free = list(range(jobs))
    try:
        while queue or running:
            while free and (plan := _next_ready(queue, [job.run for job in running])):
                lock = plan.run.acquire()
                if lock is None:
                    print(f'{plan.run.name} seed {plan.run.seed}: another process is making it', flush=True)
                elif plan.needs is not None and plan.needs.state != 'done':
                    lock.close()
                    failed.append(plan.run)
                    print(f'{plan.run.name} seed {plan.run.seed} needs {plan.needs.work_dir}, not done', flush=True)
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

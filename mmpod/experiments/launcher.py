"""The commands that start a run: on one process or several, on this machine or through Slurm."""

import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import torch

from mmpod.utils.paths import TOOLS

__all__ = ['Launcher']


@dataclass(frozen=True)
class Launcher:
    """How the processes of a run are started.

    Attributes:
        processes: Processes (GPUs) of each run.
        partition: Slurm partition to start them in; None for this machine.
    """

    processes: int = 1
    partition: Optional[str] = None

    def train(self, config: Path, work_dir: Path, arguments: Sequence[str]) -> list[str]:
        """Return the command that trains ``config`` in ``work_dir``, or goes on with it."""
        if self.partition is not None:
            script = ['bash', TOOLS / 'slurm_train.sh', self.partition, config.stem, config, work_dir]
        elif self.processes > 1:
            script = ['bash', TOOLS / 'dist_train.sh', config, self.processes, '--work-dir', work_dir]
        else:
            script = [sys.executable, TOOLS / 'train.py', config, '--work-dir', work_dir]
        return [str(word) for word in [*script, '--resume', *arguments]]

    def test(self, config: Path, checkpoint: Path, work_dir: Path, arguments: Sequence[str]) -> list[str]:
        """Return the command that evaluates ``checkpoint`` on the test set and writes ``work_dir/metrics.json``."""
        if self.partition is not None:
            script = ['bash', TOOLS / 'slurm_test.sh', self.partition, config.stem, config, checkpoint]
        elif self.processes > 1:
            script = ['bash', TOOLS / 'dist_test.sh', config, checkpoint, self.processes]
        else:
            script = [sys.executable, TOOLS / 'test.py', config, checkpoint]
        out = ['--work-dir', work_dir / 'test', '--out', work_dir / 'metrics.json', '--out-item', 'metrics']
        return [str(word) for word in [*script, *out, *arguments]]

    def environment(self, slot: int, jobs: int) -> dict[str, str]:
        """Return the variables of a run in ``slot`` of ``jobs``: its port, its share of the cores as threads unless
        ``OMP_NUM_THREADS`` is set, and its GPUs where there are enough for every slot to have its own.
        """
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        threads = max(1, (os.cpu_count() or 1) // (jobs * self.processes))
        variables = dict(PORT=str(port), OMP_NUM_THREADS=os.environ.get('OMP_NUM_THREADS') or str(threads))
        if self.partition is not None:
            return dict(GPUS=str(self.processes), GPUS_PER_NODE=str(min(self.processes, 8)))
        gpus = ','.join(map(str, range(torch.cuda.device_count())))
        visible = os.environ.get('CUDA_VISIBLE_DEVICES', gpus).split(',')
        if jobs > 1 and len(visible) >= jobs * self.processes:
            variables['CUDA_VISIBLE_DEVICES'] = ','.join(visible[slot * self.processes : (slot + 1) * self.processes])
        return variables

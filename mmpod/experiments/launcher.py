"""How the processes of a run are started: their command, their threads and their GPUs."""

import os
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
    """How to start the processes of a run: one or several, on this machine or through Slurm."""

    processes: int = 1  # processes (GPUs) per run
    partition: Optional[str] = None  # Slurm partition; None for this machine

    def train(self, config: Path, work_dir: Path, arguments: Sequence[str]) -> list[str]:
        """Return the command that trains ``config`` in ``work_dir``, or continues a training there."""
        folder = ['--work-dir', work_dir] if self.partition is None else [work_dir]
        return self._command('train', config, [*folder, '--resume'], arguments)

    def test(self, config: Path, checkpoint: Path, work_dir: Path, arguments: Sequence[str]) -> list[str]:
        """Return the command that evaluates ``checkpoint`` on the test set and writes ``work_dir/metrics.json``."""
        out = ['--work-dir', work_dir / 'test', '--out', work_dir / 'metrics.json', '--out-item', 'metrics']
        return self._command('test', config, [checkpoint, *out], arguments)

    def _command(self, tool: str, config: Path, own: Sequence, arguments: Sequence[str]) -> list[str]:
        if self.partition is not None:
            words = ['bash', TOOLS / f'slurm_{tool}.sh', self.partition, config.stem, config, *own]
        elif self.processes == 1:
            words = [sys.executable, TOOLS / f'{tool}.py', config, *own]
        else:
            # With --standalone, torchrun picks a free port, so that parallel runs never share one.
            torchrun = ['-m', 'torch.distributed.run', '--standalone', '--local-addr=127.0.0.1']
            words = [sys.executable, *torchrun, f'--nproc-per-node={self.processes}', TOOLS / f'{tool}.py', config]
            words += [*own, '--launcher', 'pytorch']
        return [str(word) for word in [*words, *arguments]]

    def environment(self, slot: int, jobs: int) -> dict[str, str]:
        """Return the environment variables of a run in ``slot`` of ``jobs``.

        They set its number of threads to its share of the cores, unless ``OMP_NUM_THREADS`` is set, and its GPUs, if
        there are enough for each slot to have its own.
        """
        if self.partition is not None:
            return dict(GPUS=str(self.processes), GPUS_PER_NODE=str(min(self.processes, 8)))
        threads = max(1, (os.cpu_count() or 1) // (jobs * self.processes))
        variables = dict(OMP_NUM_THREADS=os.environ.get('OMP_NUM_THREADS') or str(threads))
        gpus = ','.join(map(str, range(torch.cuda.device_count())))
        visible = os.environ.get('CUDA_VISIBLE_DEVICES', gpus).split(',')
        if jobs > 1 and len(visible) >= jobs * self.processes:
            variables['CUDA_VISIBLE_DEVICES'] = ','.join(visible[slot * self.processes : (slot + 1) * self.processes])
        return variables

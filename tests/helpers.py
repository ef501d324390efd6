"""What tests share: the repository's root, commands as a user starts them, tools in this process, logs and tables."""

import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer

from mmpod.datasets import SklearnDigits

ROOT = Path(__file__).resolve().parents[1]
POD, SOFTMAX, GDA = (ROOT / f'configs/small/{loss}_digits.py' for loss in ('pod', 'softmax', 'gda'))
OLD_TORCH = tuple(map(int, torch.__version__.split('.')[:2])) < (2, 2)
NEEDS_TORCH_2_2 = pytest.mark.skipif(OLD_TORCH, reason='torch_export needs PyTorch 2.2')
# Options of a training.
WORKERS = ['train_dataloader.num_workers=2', 'train_dataloader.persistent_workers=True']
EMA = [f'default_hooks.ema.{option}' for option in ('type=EMAHook', 'momentum=0.05', 'update_buffers=True')]


def environment(**variables):
    """Return the variables of a command that a user starts, with this checkout and a free port for its processes."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    defaults = dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore', PORT=str(port))
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    return {**os.environ, **defaults, 'PATH': path, **variables}


def run_command(*words, status=0, env=None, cwd=None, timeout=300):
    """Run a command and return the finished process; its output is shown when a test fails."""
    words = [str(word) for word in words]
    variables = environment(**env or {})
    done = subprocess.run(words, capture_output=True, text=True, env=variables, cwd=cwd, timeout=timeout)
    print(done.stdout, done.stderr)
    assert done.returncode == status, f'{words} ended with {done.returncode}: {done.stderr[-2000:]}'
    return done


def words_passed_to(program, folder, *command, **variables):
    """Return the words that a command passes to a program, in whose place a stub is written to the folder."""
    (folder / program).write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    (folder / program).chmod(0o755)
    path = f'{folder}:{os.environ["PATH"]}'
    return run_command(*command, env=dict(variables, PATH=path), cwd=folder).stdout.splitlines()


def call_tool(name, *arguments):
    """Do in this process what `python tools/NAME.py ARGUMENTS` does; return its error, '' where it ends well."""
    for named in (MMLogger, MessageHub, Visualizer):  # runs of one second have one name, and would share them
        named._instance_dict.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('LOCAL_RANK', '')  # what the tool sets is undone
        patch.delenv('LOCAL_RANK')
        patch.setattr('sys.argv', [name, *map(str, arguments)])
        try:
            runpy.run_path(str(ROOT / f'tools/{name}.py'), run_name='__main__')
        except SystemExit as stopped:
            return str(stopped.code or '')
    return ''


def write_log(folder, *entries, started='20260101_000000', torn=''):
    """Write the log of a training that started then, ending in a torn line if there is one, and return its path."""
    path = folder / started / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(entry) + '\n' for entry in entries) + torn)
    return path


def read_log(folder):
    """Return the entries of all logs in a work directory, in the order of their starts."""
    logs = sorted(folder.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def table_rows(text):
    """Return the cells of each row of the Markdown tables in a text."""
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line.startswith('|')]


def digits(split):
    """Return the pixels of scikit-learn's digits (N, 3, 8, 8) and their labels."""
    data = SklearnDigits(split=split, pipeline=[])
    samples = [data[index] for index in range(len(data))]
    pixels = torch.from_numpy(np.stack([sample['img'] for sample in samples])).permute(0, 3, 1, 2).float()
    return pixels, np.array([sample['gt_label'] for sample in samples])

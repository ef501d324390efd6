"""What interrupts a training run leaves it resumable."""

import os
import re
import sys

import pytest
import torch
from helpers import ROOT

from mmpod.engine.checkpoints import latest_complete_checkpoint


@pytest.mark.parametrize('kept', [0, 1, 0.5, 0.99])
def test_newest_whole_checkpoint(kept, tmp_path):
    assert latest_complete_checkpoint(tmp_path) is None
    for epoch in (1, 9, 10):
        torch.save(dict(weight=torch.ones(100)), tmp_path / f'epoch_{epoch}.pth')
    torch.save({}, tmp_path / 'best_accuracy_top1_epoch_11.pth')
    newest = tmp_path / 'epoch_10.pth'
    newest.write_bytes(newest.read_bytes()[: int(kept * newest.stat().st_size)])
    assert latest_complete_checkpoint(tmp_path) == str(tmp_path / ('epoch_10.pth' if kept == 1 else 'epoch_9.pth'))


@pytest.mark.parametrize('torn', [False, True])
def test_the_last_training_counts_in_a_folder_of_two(torn, tmp_path):
    """The first one has reached epoch 5, the second one epoch 2; the folder has been moved since."""
    written, moved = tmp_path / 'written', tmp_path / 'moved'
    written.mkdir()
    for second, epoch in enumerate((4, 5, 1, 2)):
        torch.save({}, path := written / f'epoch_{epoch}.pth')
        os.utime(path, (second, second))
    if torn:
        path.write_bytes(b'torn')
    else:
        os.utime(path, (0, 0))  # what MMEngine has recorded comes before the time
    (written / 'last_checkpoint').write_text(str(path))
    written.rename(moved)
    assert latest_complete_checkpoint(moved) == str(moved / f'epoch_{1 if torn else 2}.pth')


@pytest.mark.slow
def test_killed_runs_end_with_the_weights_of_an_uninterrupted_one(run_command):
    done = run_command(sys.executable, ROOT / 'benchmarks/kill_and_resume.py', '--kills', 2, '--epochs', 3, timeout=600)
    differences = re.findall(r'run \d+: largest difference .* (\S+)$', done.stdout, re.M)
    assert differences and set(differences) == {'0'}

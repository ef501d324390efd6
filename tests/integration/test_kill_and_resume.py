"""What interrupts a training run leaves it resumable."""

import os
import re
import sys

import pytest
import torch

from mmpod.engine import AtomicLocalBackend
from mmpod.engine.checkpoints import latest_complete_checkpoint

DIGITS = 'configs/small/pod_digits.py'


def train(root, work_dir, epochs):
    command = [sys.executable, root / 'tools/train.py', root / DIGITS, '--work-dir', work_dir, '--resume']
    return [*command, '--cfg-options', f'train_cfg.max_epochs={epochs}', 'randomness.seed=0']


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
        os.utime(path, (0, 0))  # MMEngine's word comes before the time
    (written / 'last_checkpoint').write_text(str(path))
    written.rename(moved)
    assert latest_complete_checkpoint(moved) == str(moved / f'epoch_{1 if torn else 2}.pth')


@pytest.mark.slow
def test_truncated_checkpoint_is_passed_over(root, tmp_path, run_command):
    run_command(*train(root, tmp_path, 2))
    whole, newest = (tmp_path / f'epoch_{epoch}.pth' for epoch in (1, 2))
    expected = torch.load(newest, weights_only=True)['state_dict']
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    done = run_command(*train(root, tmp_path, 2))
    output = done.stdout + done.stderr
    assert f'{newest} is truncated' in output and f'Load checkpoint from {whole}' in output
    resumed = torch.load(newest, weights_only=True)['state_dict']
    assert all(torch.equal(resumed[name], value) for name, value in expected.items())


@pytest.mark.slow
def test_killed_runs_end_with_the_weights_of_an_uninterrupted_one(root, run_command):
    done = run_command(sys.executable, root / 'benchmarks/kill_and_resume.py', '--kills', 2, '--epochs', 3, timeout=600)
    differences = re.findall(r'run \d+: largest difference .* (\S+)$', done.stdout, re.M)
    assert differences and set(differences) == {'0'}


def test_killed_while_writing_leaves_the_old_file(tmp_path, run_command):
    """Killed by itself in the middle of the write, between the two halves."""
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'old')
    script = (
        'import os, signal, sys\n'
        'from mmpod.engine import atomic_local_backend\n'
        'os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n'
        'atomic_local_backend.AtomicLocalBackend().put(b"new", sys.argv[1])\n'
    )
    assert run_command(sys.executable, '-c', script, path, status=-9)
    assert path.read_bytes() == b'old'
    AtomicLocalBackend().put(b'newer', path)
    assert path.read_bytes() == b'newer' and os.listdir(tmp_path) == ['epoch_1.pth']

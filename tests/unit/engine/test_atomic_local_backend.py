import errno
import os
import subprocess
import sys

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from mmpod.engine import AtomicLocalBackend

BACKEND = dict(backend='atomic_local')


def test_checkpoints_go_through_it(tmp_path):
    assert isinstance(get_file_backend(str(tmp_path), backend_args=BACKEND), AtomicLocalBackend)
    path = tmp_path / 'new folder' / 'epoch_1.pth'
    for value in (1.0, 2.0):
        save_checkpoint(dict(weight=torch.tensor(value)), str(path), backend_args=BACKEND)
        assert torch.load(path, weights_only=True)['weight'] == value
    assert os.listdir(path.parent) == ['epoch_1.pth']


def test_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    """The kernel's own answer: /dev/full has no room for any byte."""
    path = tmp_path / 'epoch_1.pth'
    save_checkpoint(dict(weight=torch.ones(3)), str(path), backend_args=BACKEND)
    before = path.read_bytes()
    (tmp_path / 'epoch_1.pth.new').symlink_to('/dev/full')
    with pytest.raises(OSError, match='0.[0-9] MiB.*No space left.*--resume.*epoch_1.pth') as caught:
        save_checkpoint(dict(weight=torch.zeros(3)), str(path), backend_args=BACKEND)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before and os.listdir(tmp_path) == ['epoch_1.pth']


def test_killed_while_writing_leaves_the_old_file(tmp_path):
    """Killed by itself in the middle of the write, between the two halves."""
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'old')
    script = (
        'import os, signal, sys\n'
        'from mmpod.engine import atomic_local_backend\n'
        'atomic_local_backend.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n'
        'atomic_local_backend.AtomicLocalBackend().put(b"new", sys.argv[1])\n'
    )
    assert subprocess.run([sys.executable, '-c', script, path]).returncode == -9
    assert path.read_bytes() == b'old'
    AtomicLocalBackend().put(b'newer', path)
    assert path.read_bytes() == b'newer' and os.listdir(tmp_path) == ['epoch_1.pth']

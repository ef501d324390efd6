import errno
import os

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from mmpod.engine import AtomicLocalBackend
from mmpod.utils import files

BACKEND = dict(backend='atomic_local')


def test_checkpoints_go_through_it(tmp_path):
    assert isinstance(get_file_backend(str(tmp_path), backend_args=BACKEND), AtomicLocalBackend)
    path = tmp_path / 'new folder' / 'epoch_1.pth'
    for value in (1.0, 2.0):
        save_checkpoint(dict(weight=torch.tensor(value)), str(path), backend_args=BACKEND)
        assert torch.load(path, weights_only=True)['weight'] == value
    assert os.listdir(path.parent) == ['epoch_1.pth']


def test_full_disk_leaves_the_old_file_and_says_so(tmp_path, monkeypatch):
    """The kernel's own answer: /dev/full has no room for any byte."""
    path = tmp_path / 'epoch_1.pth'
    save_checkpoint(dict(weight=torch.ones(3)), str(path), backend_args=BACKEND)
    before = path.read_bytes()
    full = tmp_path / 'full'
    full.symlink_to('/dev/full')
    monkeypatch.setattr(files, '_temporary', lambda path: full)
    with pytest.raises(OSError, match='0.[0-9] MiB.*No space left.*--resume.*epoch_1.pth') as caught:
        save_checkpoint(dict(weight=torch.zeros(3)), str(path), backend_args=BACKEND)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before and os.listdir(tmp_path) == ['epoch_1.pth']

"""Several processes give the gradients of one process with the whole batch."""

import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

sys.path.insert(0, str(Path(__file__).parent))
from distributed_worker import Network, gradients, whole_batch  # noqa: E402

PORT = 29611


@pytest.mark.parametrize('sizes', [(4, 4), (5, 3), (12, 10), (3, 1, 4)], ids=str)
def test_gradients_equal_those_of_one_process(sizes, tmp_path, run_command):
    worker, result = Path(__file__).parent / 'distributed_worker.py', tmp_path / 'gradients.pth'
    # Judged by the file: gloo may abort a process at exit, after its work is done.
    run_command('torchrun', f'--nproc_per_node={len(sizes)}', f'--master_port={PORT}', worker, result, *sizes)
    measured = torch.load(result, weights_only=True)

    network = Network()
    network(*whole_batch(sum(sizes))).backward()
    for name, expected in gradients(network).items():
        assert (measured[True][name] - expected).norm() < 1e-5 * expected.norm(), name

    local = [Network(global_batch=False) for _ in sizes]
    for part, images, labels in zip(local, *(item.split(sizes) for item in whole_batch(sum(sizes)))):
        part(images, labels).backward()
    for name in measured[False]:
        mean = torch.stack([gradients(part)[name] for part in local]).mean(0)
        assert_close(measured[False][name], mean)
        assert (measured[False][name] - measured[True][name]).norm() > 1e-3 * mean.norm(), name

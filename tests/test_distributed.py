"""Several processes give the gradients of one process with the whole batch."""

import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

sys.path.insert(0, str(Path(__file__).parent))
from distributed_worker import Network, gradients, whole_batch  # noqa: E402

PORT = 29611


@pytest.mark.parametrize('cases', [['4,4', '5,3', '12,10'], ['3,1,4']], ids=['two processes', 'three processes'])
def test_gradients_equal_those_of_one_process(cases, tmp_path, run_command):
    worker, result = Path(__file__).parent / 'distributed_worker.py', tmp_path / 'gradients.pth'
    processes = cases[0].count(',') + 1
    run_command('torchrun', f'--nproc_per_node={processes}', f'--master_port={PORT}', worker, result, *cases)
    measured = torch.load(result, weights_only=True)
    for case in cases:
        sizes = [int(size) for size in case.split(',')]
        network = Network()
        network(*whole_batch(sum(sizes))).backward()
        over_all = measured[f'global {case}']
        for name, expected in gradients(network).items():
            assert (over_all[name] - expected).norm() < 1e-5 * expected.norm(), (case, name)

        parts = [Network(global_batch=False) for _ in sizes]
        for part, images, labels in zip(parts, *(item.split(sizes) for item in whole_batch(sum(sizes)))):
            part(images, labels).backward()
        for name, local in measured[f'local {case}'].items():
            assert_close(local, torch.stack([gradients(part)[name] for part in parts]).mean(0))
            assert (local - over_all[name]).norm() > 1e-3 * local.norm(), (case, name)

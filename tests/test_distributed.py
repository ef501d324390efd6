"""Several processes give the gradients, and the state, of one process with the whole batch."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from torch.testing import assert_close

sys.path.insert(0, str(Path(__file__).parent))
from distributed_worker import HEADS, LOCAL, Network, cot_classifier, cot_steps, two_steps, whole_batch  # noqa: E402

PORT = 29611


@pytest.mark.parametrize('cases', [['4,4', '5,3', '12,10'], ['3,1,4']], ids=['two processes', 'three processes'])
def test_gradients_and_state_equal_those_of_one_process(cases, tmp_path, run_command):
    init_default_scope('mmpretrain')
    worker, result = Path(__file__).parent / 'distributed_worker.py', tmp_path / 'gradients.pth'
    processes = cases[0].count(',') + 1
    run_command('torchrun', f'--nproc_per_node={processes}', f'--master_port={PORT}', worker, result, *cases)
    measured = torch.load(result, weights_only=True)
    for case in cases:
        sizes = [int(size) for size in case.split(',')]
        for name in HEADS:
            network = Network(name)
            expected = two_steps(network, network, *whole_batch(sum(sizes)))
            assert measured[f'{name} {case}'].keys() == expected.keys()
            for key, value in expected.items():
                difference = (measured[f'{name} {case}'][key] - value).norm()
                assert difference <= 1e-5 * value.norm(), (case, name, key)

        parts = [Network(LOCAL) for _ in sizes]
        local = [
            two_steps(part, part, images, labels)
            for part, images, labels in zip(parts, *(item.split(sizes) for item in whole_batch(sum(sizes))))
        ]
        for key, value in measured[f'{LOCAL} {case}'].items():
            assert_close(value, torch.stack([gradients[key] for gradients in local]).mean(0))
            assert (value - measured[f'pod {case}'][key]).norm() > 1e-3 * value.norm(), (case, key)
    if processes == 2:
        classifier = cot_classifier()
        for key, value in cot_steps(classifier, classifier, slice(None)).items():
            assert (measured['cot'][key] - value).norm() < 1e-5 * value.norm(), key

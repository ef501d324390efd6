"""Several processes give the gradients, and the state, of one process with the whole batch; so do sharded weights."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from torch.testing import assert_close

sys.path.insert(0, str(Path(__file__).parent))
from distributed_worker import (  # noqa: E402
    ACCUMULATED,
    DIM,
    HEADS,
    LOCAL,
    SHARDED,
    Network,
    accumulated,
    cot_classifier,
    cot_steps,
    geometry,
    two_steps,
    whole_batch,
    with_unused_layer,
)


@pytest.mark.parametrize(
    'cases, backend',
    [(['4,4', '5,3', '12,10', '3,2'], 'gloo'), (['3,1,4', '2,1,2'], 'cpu:gloo')],
    ids=['two processes', 'three processes with a group of the hosts'],
)
def test_gradients_and_state_equal_those_of_one_process(cases, backend, tmp_path, run_command):
    """The features, 8-dimensional, are gathered where there are fewer samples, else a Gram matrix is summed."""
    init_default_scope('mmpretrain')
    worker, result = Path(__file__).parent / 'distributed_worker.py', tmp_path / 'gradients.pth'
    processes = cases[0].count(',') + 1
    run_command('torchrun', f'--nproc_per_node={processes}', '--standalone', worker, result, backend, *cases)
    measured = torch.load(result, weights_only=True)
    assert measured['geometry'] == pytest.approx(geometry(0, 1), rel=1e-12)
    assert measured['gathered'].tolist() == [rank for rank in range(processes) for _ in range(rank + 1)]
    for case in cases:
        sizes = [int(size) for size in case.split(',')]
        for name in HEADS:
            network = Network(name)
            expected = two_steps(network, network, *whole_batch(sum(sizes)))
            assert measured[f'{name} {case}'].keys() == expected.keys()
            for key, value in expected.items():
                difference = (measured[f'{name} {case}'][key] - value).norm()
                assert difference <= 1e-5 * value.norm(), (case, name, key)
        for name in SHARDED if f'sharded pod {case}' in measured else ():
            for key, value in measured[f'{name} {case}'].items():
                assert_close(measured[f'sharded {name} {case}'][key], value, rtol=1e-5, atol=1e-7)
        for name in ACCUMULATED:
            network = with_unused_layer(name)
            images, labels = whole_batch(sum(sizes))
            # Each process has turned its own part around.
            turned = [torch.cat([part.flip(0) for part in item.split(sizes)]) for item in (images, labels)]
            expected = accumulated(network, network, [(images, labels), turned])
            assert measured[f'accumulated {name} {case}'].keys() == expected.keys()
            for key, value in expected.items():
                difference = (measured[f'accumulated {name} {case}'][key] - value).norm()
                assert difference <= 1e-5 * value.norm(), (case, name, key)

        # Two steps, of which one goes backward: as many entries forward, none backward.
        exchanged = DIM * (DIM - 1) // 2 if sum(sizes) >= DIM else max(sizes) * DIM
        assert measured[f'sent by pod {case}'] == 2 * [exchanged]
        for name in LOCAL:
            assert measured[f'sent by {name} {case}'] == []
            parts = [Network(name) for _ in sizes]
            local = [
                two_steps(part, part, images, labels)
                for part, images, labels in zip(parts, *(item.split(sizes) for item in whole_batch(sum(sizes))))
            ]
            for key, value in measured[f'{name} {case}'].items():
                values = [state[key] for state in local]  # the centers of rank 0 are its own
                expected = values[0] if key.endswith('centers') else torch.stack(values).mean(0)
                assert_close(value, expected)
    if processes == 2:
        classifier = cot_classifier()
        for key, value in cot_steps(classifier, classifier, slice(None)).items():
            assert (measured['cot'][key] - value).norm() < 1e-5 * value.norm(), key

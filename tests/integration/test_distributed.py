"""Several processes give the gradients, and the state, of one process with the whole batch; so do sharded weights."""

import distributed_worker as worker
import pytest
import torch
from helpers import run_command
from mmengine.registry import init_default_scope
from torch.testing import assert_close


@pytest.fixture(
    scope='module',
    params=[(['4,4', '5,3', '12,10', '3,2'], 'gloo'), (['3,1,4', '2,1,2'], 'cpu:gloo')],
    ids=['two processes', 'three processes with a group of the hosts'],
)
def measured(request, tmp_path_factory):
    """Return what the processes have measured, `sizes` for the batch sizes of each case, and their number."""
    init_default_scope('mmpretrain')
    cases, backend = request.param
    result, processes = tmp_path_factory.mktemp('distributed') / 'measured.pth', cases[0].count(',') + 1
    run_command('torchrun', f'--nproc_per_node={processes}', '--standalone', worker.__file__, result, backend, *cases)
    sizes = {case: [int(size) for size in case.split(',')] for case in cases}
    return dict(torch.load(result, weights_only=True), sizes=sizes, processes=processes)


def assert_equal(found, expected):
    """Compare each tensor relative to its norm."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert (found[name] - value).norm() <= 1e-5 * value.norm(), name


def test_metrics_and_gathered_rows(measured):
    assert measured['geometry'] == pytest.approx(worker.geometry(0, 1), rel=1e-12)
    assert measured['gathered'].tolist() == [rank for rank in range(measured['processes']) for _ in range(rank + 1)]


@pytest.mark.parametrize('name', worker.HEADS)
def test_gradients_and_state_equal_those_of_one_process(name, measured):
    """The features, 8-dimensional, are gathered where there are fewer samples, else a Gram matrix is summed."""
    for case, sizes in measured['sizes'].items():
        network = worker.Network(name)
        assert_equal(measured[f'{name} {case}'], worker.two_steps(network, network, *worker.whole_batch(sum(sizes))))


@pytest.mark.skipif(worker.fully_shard is None, reason='needs PyTorch 2.6')
@pytest.mark.parametrize('name', worker.SHARDED)
def test_sharded_weights_get_the_same_gradients(name, measured):
    if measured['processes'] != 2:
        pytest.skip('two processes are enough')
    for case in measured['sizes']:
        for key, value in measured[f'{name} {case}'].items():
            assert_close(measured[f'sharded {name} {case}'][key], value, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('name', worker.ACCUMULATED)
def test_accumulated_gradients_equal_those_of_one_process(name, measured):
    for case, sizes in measured['sizes'].items():
        network, (images, labels) = worker.with_unused_layer(name), worker.whole_batch(sum(sizes))
        # Each process has reversed its own part.
        reversed_parts = [torch.cat([part.flip(0) for part in item.split(sizes)]) for item in (images, labels)]
        expected = worker.accumulated(network, network, [(images, labels), reversed_parts])
        assert_equal(measured[f'accumulated {name} {case}'], expected)


def test_the_smaller_of_features_and_gram_matrix_is_sent(measured):
    """In two steps, of which one goes backward: as many entries forward, none backward."""
    for case, sizes in measured['sizes'].items():
        exchanged = worker.DIM * (worker.DIM - 1) // 2 if sum(sizes) >= worker.DIM else max(sizes) * worker.DIM
        assert measured[f'sent by pod {case}'] == 2 * [exchanged]


@pytest.mark.parametrize('name', worker.LOCAL)
def test_local_losses_send_nothing_and_average_the_gradients(name, measured):
    for case, sizes in measured['sizes'].items():
        assert measured[f'sent by {name} {case}'] == []
        parts = zip(*(item.split(sizes) for item in worker.whole_batch(sum(sizes))))
        networks = [worker.Network(name) for _ in sizes]
        local = [worker.two_steps(network, network, *part) for network, part in zip(networks, parts)]
        for key, value in measured[f'{name} {case}'].items():
            values = [state[key] for state in local]  # the centers of rank 0 are its own
            assert_close(value, values[0] if key.endswith('centers') else torch.stack(values).mean(0))


def test_cot_trains_as_in_one_process(measured):
    if measured['processes'] != 2:
        pytest.skip('two processes are enough')
    classifier = worker.cot_classifier()
    assert_equal(measured['cot'], worker.cot_steps(classifier, classifier, slice(None)))

"""Training on several machines: what the launcher passes on, and two "machines" that are one."""

import subprocess

import pytest
import torch
from helpers import POD, ROOT, environment, words_passed_to

from mmpod.engine import checkpoints

OPTIONS = ['--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.batch_size=32', 'randomness.seed=0']


@pytest.mark.parametrize('script, files', [('dist_train', ['a b.py']), ('dist_test', ['a b.py', 'c.pth'])])
def test_launchers_pass_the_nodes_to_torchrun(script, files, tmp_path):
    nodes = dict(NNODES='3', NODE_RANK='2', MASTER_ADDR='10.0.0.1', PORT='29660')
    command = ['bash', ROOT / f'tools/{script}.sh', *files, '8', '--work-dir', 'w']
    words = words_passed_to('torchrun', tmp_path, *command, **nodes)
    assert {'--nnodes=3', '--node_rank=2', '--nproc_per_node=8', '--master_addr=10.0.0.1', '--master_port=29660'} <= {
        *words
    }
    assert words[-len(files) - 4 :] == [*files, '--launcher', 'pytorch', '--work-dir', 'w']


@pytest.fixture
def start(tmp_path):
    """Start a launcher on a "machine" whose work directory has this name."""
    train = ['bash', str(ROOT / 'tools/dist_train.sh'), str(POD)]

    def launch(name, processes, *options, **variables):
        command = [*train, str(processes), '--work-dir', str(tmp_path / name), *options, *OPTIONS]
        return subprocess.Popen(
            command, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    return launch


def on_two_nodes(start, *options):
    """Return the exit states and outputs of two launchers with one rendezvous; the second machine comes first."""
    common = dict(NNODES='2', MASTER_ADDR='127.0.0.1', PORT=environment()['PORT'])
    nodes = [start(f'node{rank}', 1, *options, NODE_RANK=str(rank), **common) for rank in (1, 0)]
    outputs = [node.communicate(timeout=300)[0] for node in nodes]
    print(*outputs)
    return [node.returncode for node in nodes], outputs


@pytest.mark.slow
def test_two_nodes_train_as_two_processes_of_one(start, tmp_path):
    """Without a common disk each node but the first keeps no checkpoint, and resuming stops on both, saying so."""
    states, outputs = on_two_nodes(start)
    assert states == [0, 0]
    assert not any('The total batch is' in output for output in outputs)
    alone = start('alone', 2)
    print(alone.communicate(timeout=300)[0])
    assert alone.returncode == 0
    assert not list((tmp_path / 'node1').glob('*.pth'))
    apart, together = (
        torch.load(tmp_path / name / 'epoch_1.pth', weights_only=True)['state_dict'] for name in ('node0', 'alone')
    )
    for name, value in together.items():
        torch.testing.assert_close(apart[name], value, rtol=1e-4, atol=1e-5)

    states, outputs = on_two_nodes(start, '--resume')
    assert states == [1, 1]
    for output in outputs:
        assert 'process 0 has epoch_1.pth' in output and 'process 1 has None' in output


def test_processes_that_would_resume_from_different_files(monkeypatch, tmp_path):
    (tmp_path / 'epoch_2.pth').write_bytes(b'12345')
    monkeypatch.setattr(checkpoints, 'all_gather_object', lambda mine: [mine, mine])
    checkpoints.check_same_checkpoint(str(tmp_path / 'epoch_2.pth'))
    checkpoints.check_same_checkpoint(None)
    monkeypatch.setattr(checkpoints, 'all_gather_object', lambda mine: [mine, mine, 'epoch_2.pth (4 bytes)'])
    with pytest.raises(ValueError, match=r'process 0 has epoch_2.pth \(5 bytes\) and process 2 has epoch_2.pth \(4 by'):
        checkpoints.check_same_checkpoint(str(tmp_path / 'epoch_2.pth'))


@pytest.mark.slow
def test_flexible_runner_trains_and_resumes(tmp_path, run_command):
    """MMEngine's other Runner, with its strategy of data parallelism."""
    strategy = ['runner_type=FlexibleRunner', 'strategy.type=DDPStrategy']
    strategy += ['strategy.model_wrapper.type=MMDistributedDataParallel', 'strategy.model_wrapper.device_ids=None']
    train = ['bash', ROOT / 'tools/dist_train.sh', POD, 2, '--work-dir', tmp_path / 'work', '--resume']
    for epochs in (1, 2):
        options = [*OPTIONS, f'train_cfg.max_epochs={epochs}', *strategy]
        done = run_command(*train, *options)
    assert 'resumed epoch: 1' in done.stdout + done.stderr
    torch.load(tmp_path / 'work/epoch_2.pth', weights_only=True)

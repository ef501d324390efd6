"""The command lines as a user calls them, on scikit-learn's digits."""

import functools
import importlib.util
import json
import pickle
import re
import shutil
import sys

import pytest
import torch
from helpers import EMA, GDA, POD, ROOT, SOFTMAX, WORKERS, read_log, table_rows, words_passed_to
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as loading
from torch.testing import assert_close

NO_AUGMENTATION = ['train_dataloader.dataset.pipeline.0.padding=0']  # a crop of the whole image
SEED = ['randomness.seed=0']
GEOMETRY = ['default_hooks.features.geometry=True']


def accuracy_printed(text):
    return float(re.findall(r'accuracy/top1: ([\d.]+)', text)[-1])


def test_train_logs_the_terms_apart(trained):
    entry = next(entry for entry in read_log(trained) if 'loss' in entry)
    assert_close(entry['loss'], entry['loss_cosine'] + entry['loss_sc'])
    assert [entry['step'] for entry in read_log(trained) if 'accuracy/top1' in entry] == [1, 2]
    geometry = [entry for entry in read_log(trained) if 'geometry/target_cosine' in entry]
    assert [entry['step'] for entry in geometry] == [1, 2] and len(geometry[1]) >= 10


@pytest.mark.parametrize(
    'run, options, torn', [('trained', [], False), ('trained', [], True), ('trained_ema', EMA, False)]
)
def test_a_resumed_run_ends_with_the_weights_of_the_whole_one(run, options, torn, request, tmp_path, run_command):
    """With augmentation in workers, and by the seed of the checkpoint where the command names none.

    Only the whole run logs the geometry, which changes nothing. A torn checkpoint is passed over.
    """
    whole, first, newest = request.getfixturevalue(run), tmp_path / 'epoch_1.pth', tmp_path / 'epoch_2.pth'
    shutil.copy(whole / 'epoch_1.pth', first)
    if torn:
        content = (whole / 'epoch_2.pth').read_bytes()
        newest.write_bytes(content[: len(content) // 2])
    (tmp_path / 'last_checkpoint').write_text(str(newest if torn else first))
    command = [sys.executable, ROOT / 'tools/train.py', POD, '--work-dir', tmp_path, '--resume', '--cfg-options']
    done = run_command(*command, 'train_cfg.max_epochs=2', *WORKERS, *options)
    output = done.stdout + done.stderr
    assert 'resumed epoch: 1' in output and (f'{newest} is truncated' in output) == torn
    resumed, expected = (torch.load(folder / 'epoch_2.pth', weights_only=True) for folder in (tmp_path, whole))
    for weights in ('state_dict', *(['ema_state_dict'] if options else [])):  # of EMA: the averages, and the rest
        assert resumed[weights].keys() == expected[weights].keys()
        for name, value in expected[weights].items():
            assert_close(resumed[weights][name], value, rtol=0, atol=0)


def test_test_reports_what_training_saw(trained, tool, tmp_path):
    command = ['test', POD, trained / 'epoch_2.pth', '--work-dir', 'work']
    _, error = tool(*command, '--out', 'metrics.json', '--out-item', 'metrics', '--cfg-options', *GEOMETRY)
    assert not error
    last = [entry for entry in read_log(trained) if 'accuracy/top1' in entry][-1]
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    names = [name for name in last if name.startswith(('accuracy/', 'geometry/'))]
    assert len(names) == 10
    for name in names:
        assert metrics[name] == pytest.approx(last[name], rel=1e-5)
    said, error = tool(*command, '--amp', '--out', 'predictions.pkl')
    assert not error and abs(accuracy_printed(said) - last['accuracy/top1']) < 3  # bfloat16 features
    assert (tmp_path / 'predictions.pkl').stat().st_size > 0


@pytest.mark.parametrize('split, samples', [('test', 500), ('train', 1297)])
def test_plot_geometry(split, samples, trained, tool, tmp_path):
    """The numbers of the test set are those of the last validation."""
    out = tmp_path / 'out'
    assert not tool('plot_geometry', POD, trained / 'epoch_2.pth', '--out', out, '--split', split, '--samples', 50)[1]
    assert {path.name for path in out.glob('*.png')} == {'gram.png', 'means.png', 'cosines.png', 'embedding.png'}
    written = json.loads((out / 'geometry.json').read_text())
    assert (written['num_samples'], written['split']) == (samples, split)
    last = [entry for entry in read_log(trained) if 'geometry/nc1' in entry][-1]
    expected = {name[9:]: value for name, value in last.items() if name.startswith('geometry/')}
    assert (written['geometry'] == pytest.approx(expected, rel=1e-5)) == (split == 'test')


@pytest.mark.parametrize(
    'arguments, words',
    [
        ([POD, 'nowhere.pth'], ['nowhere.pth` to be a file', 'it does not exist']),
        ([POD, POD, '--samples', '3'], ['--samples', 'at least 4', '3']),
        ([POD, POD, '--method', 'umap'], ['umap for --method umap', 'pip install umap-learn']),
    ],
    ids=['nowhere', 'samples', 'umap'],
)
def test_plot_geometry_refuses(arguments, words, tool, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None if name == 'umap' else find(name))
    said, error = tool('plot_geometry', *arguments, '--out', 'out')
    assert error and all(word in said + error for word in words) and not (tmp_path / 'out').exists()


def test_two_processes_train_resume_and_test(tmp_path, run_command):
    train = ['bash', ROOT / 'tools/dist_train.sh', POD, 2, '--work-dir', tmp_path, '--resume']
    for epochs in (1, 2):
        options = [
            '--cfg-options',
            f'train_cfg.max_epochs={epochs}',
            'train_dataloader.batch_size=32',
            *SEED,
            *GEOMETRY,
        ]
        done = run_command(*train, *options)
    output = done.stdout + done.stderr
    assert 'resumed epoch: 1' in output and 'The total batch is' not in output and 'geometry/nc1' in output
    command = ['bash', ROOT / 'tools/dist_test.sh', POD, tmp_path / 'epoch_2.pth', 2, '--work-dir', tmp_path]
    tested = run_command(*command)
    # Not the accuracy that training saw: there, each process evaluates with batch-norm statistics of its own.
    alone = run_command(sys.executable, ROOT / 'tools/test.py', POD, tmp_path / 'epoch_2.pth')
    printed = [accuracy_printed(run.stdout + run.stderr) for run in (tested, alone)]
    assert printed[0] == pytest.approx(printed[1], abs=1e-3) and printed[0] > 20


class Payload:
    """Pickled into a file, it would create another file when somebody unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), 'w'))


def test_foreign_pickles_are_refused_and_not_executed(trained, tmp_path, run_command):
    checkpoint = torch.load(trained / 'epoch_2.pth', weights_only=True)
    # onedl-mmengine lets the safe loader restore MMEngine's own class; whatever else it meets is refused there too.
    admitted = ['history'] if hasattr(loading, 'get_torch_safe_globals') else []
    for name, item in (('payload', Payload(tmp_path / 'executed')), ('history', HistoryBuffer([1.0], [1]))):
        path, status = tmp_path / f'{name}.pth', 0 if name in admitted else 1
        torch.save(dict(checkpoint, extra=item), path)
        done = run_command(sys.executable, ROOT / 'tools/test.py', POD, path, status=status)
        assert name in admitted or (path.name in done.stderr and 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD' in done.stderr)
    assert not (tmp_path / 'executed').exists()
    pickle.loads(pickle.dumps(Payload(tmp_path / 'executed')))  # the payload does work
    assert (tmp_path / 'executed').exists()


def test_slurm_scripts_pass_their_arguments_to_srun(tmp_path):
    settings = dict(GPUS='4', GPUS_PER_NODE='2', SRUN_ARGS='--time=1 --exclusive')
    words = functools.partial(words_passed_to, 'srun', tmp_path, **settings)
    train = words('bash', ROOT / 'tools/slurm_train.sh', 'part', 'job', 'a b.py', 'dir', '--cfg-options', 'x="[1, 2]"')
    assert {'--partition=part', '--ntasks=4', '--ntasks-per-node=2', '--time=1', '--exclusive'} <= set(train)
    tail = ['a b.py', '--work-dir', 'dir', '--launcher', 'slurm', '--cfg-options', 'x="[1, 2]"']
    assert train[-7:] == tail and train[-8].endswith('tools/train.py')
    test = words('bash', ROOT / 'tools/slurm_test.sh', 'part', 'job', 'a.py', 'b.pth')
    assert test[-4:] == ['a.py', 'b.pth', '--launcher', 'slurm'] and test[-5].endswith('tools/test.py')


def test_foreign_config_with_one_changed_head(tmp_path, tool):
    """A config of somebody else's, a bare `PODLoss` after custom_imports, and a conversion without any file."""
    (tmp_path / 'mine.py').write_text(
        "_base_ = ['mmpretrain::_base_/models/resnet18_cifar.py', 'mmpretrain::_base_/schedules/cifar10_bs128.py',\n"
        "          'mmpretrain::_base_/default_runtime.py', '"
        + str(ROOT / 'configs/_base_/datasets/digits_bs64.py')
        + "']\n"
        "custom_imports = dict(imports=['mmpod'])\n"
        'model = dict(backbone=dict(stem_channels=8, base_channels=8), head=dict(_delete_=True, type="PEDCCHead",\n'
        '             num_classes=10, in_channels=64, feat_dim=9, loss=dict(type="PODLoss", sc_weight=0.1)))\n'
        'train_cfg = dict(max_epochs=1)\n'
    )
    assert not tool('train', 'mine.py', '--work-dir', 'bare')[1]
    assert {'loss_cosine', 'loss_sc'} <= read_log(tmp_path / 'bare')[0].keys()
    head = dict(_delete_=True, type='mmpod.PEDCCHead', num_classes=10, in_channels=64, feat_dim=16)
    options = [*(f'model.head.{key}={value}' for key, value in head.items()), 'train_cfg.max_epochs=1']
    assert not tool('train', SOFTMAX, '--work-dir', 'options', '--cfg-options', *options)[1]
    assert {'loss_cosine', 'loss_sc'} <= read_log(tmp_path / 'options')[0].keys()


def rows_by_name(text):
    return {name: cells for name, *cells in table_rows(text)}


@pytest.mark.parametrize(
    'name, arguments, words',
    [
        ('compare', ['--cfg-options', 'optim_wraper.optimizer.lr=1'], 'Did you mean `optim_wrapper`?'),
        ('compare', ['--cfg-options', 'train_dataloader=3'], 'to be a section, but got 3'),
        ('tune', ['--grid', 'optim_wrapper.optimizer.lr=0.1,0.10'], 'values that differ'),
    ],
)
def test_mistakes_are_named_before_anything_is_trained(name, arguments, words, tool, tmp_path):
    said, error = tool(name, POD, '--work-dir', 'w', *arguments)
    assert words in said + error and error and not (tmp_path / 'w').exists()


def test_compare_trains_tabulates_and_does_not_repeat(tool, tmp_path, run_command):
    command = [sys.executable, ROOT / 'tools/compare.py']
    arguments = [POD, SOFTMAX, '--work-dir', tmp_path, '--seeds', 3, '--jobs', 2]
    options = ['--cfg-options', 'train_cfg.max_epochs=1', *GEOMETRY]
    first = run_command(*command, *arguments, '--target', 1, *options)
    assert 'pod_digits seed 3: epoch 1/1, accuracy/top1' in first.stdout
    for loss in ('pod', 'softmax'):
        work_dir = tmp_path / f'{loss}_digits' / 'seed3'
        record = json.loads((work_dir / 'run.json').read_text())
        assert record['finished'] and record['seed'] == 3 and 'randomness.seed=3' in record['commands'][0]
        assert record['versions']['torch'] == torch.__version__
        assert record['config']['train_cfg']['max_epochs'] == 1 and record['config_hash']
        accuracy = next(entry['accuracy/top1'] for entry in read_log(work_dir) if 'accuracy/top1' in entry)
        row = rows_by_name(first.stdout)[f'{loss}_digits']
        assert row[:4] == ['3', f'{accuracy:.2f}', f'{accuracy:.2f}', '1.0']
    assert 'Best by accuracy/top1: ' in first.stdout and 'fewer than two common seeds, too few' in first.stdout
    assert (tmp_path / 'accuracy.png').read_bytes().startswith(b'\x89PNG')
    assert (tmp_path / 'geometry.png').read_bytes().startswith(b'\x89PNG')
    assert len(table_rows((tmp_path / 'geometry.md').read_text())) == 4
    assert (tmp_path / 'curves.csv').read_text().count('\n') == 3
    third = run_command(*command, GDA, *arguments, *options)
    metrics = json.loads((tmp_path / 'gda_digits' / 'seed3' / 'metrics.json').read_text())
    assert rows_by_name(third.stdout)['gda_digits'][:4] == ['3', f'{metrics["gda/top1"]:.2f}', '-', '-']
    assert metrics['gda/top1'] > metrics['cosine/top1'] > 10 and third.stdout.count('already finished in') == 2
    changed = ['--cfg-options', 'train_cfg.max_epochs=2', *GEOMETRY]
    assert 'train_cfg.max_epochs: 1 -> 2' in tool('compare', GDA, *arguments, *changed)[1]
    assert not tool('compare', GDA, *arguments, *options, '--metric', 'geometry/nc1', '--lower-is-better')[1]
    table = (tmp_path / 'table.md').read_text()
    assert 'geometry/nc1, lower is better' in table and 'Best by geometry/nc1' in table


def test_compare_reports_failures_and_shows_the_rest(tmp_path, run_command):
    (tmp_path / 'broken.py').write_text(f"_base_ = ['{POD}']\nmodel = dict(head=dict(feat_dim=2))\n")
    command = [sys.executable, ROOT / 'tools/compare.py', tmp_path / 'broken.py', POD, '--jobs', 2]
    done = run_command(*command, '--work-dir', tmp_path / 'w', '--cfg-options', 'train_cfg.max_epochs=1', status=1)
    assert 'feat_dim' in done.stderr and '1 of 2 runs failed: broken seed 0' in done.stderr
    assert rows_by_name(done.stdout)['pod_digits'][0] == '0'


@pytest.mark.slow
def test_tuning_tries_the_same_settings_with_each_config(tool, tmp_path, run_command):
    arguments = [POD, SOFTMAX, '--grid', 'optim_wrapper.optimizer.lr=0.1,1e-6', '--work-dir', tmp_path / 'w']
    option = 'train_cfg.max_epochs=1'
    done = run_command(sys.executable, ROOT / 'tools/tune.py', *arguments, '--cfg-options', option)
    table = (tmp_path / 'w' / 'table.md').read_text()
    assert table in done.stdout and table.count('**') == 4 and 'val_dataloader reads the test set' in done.stderr
    assert 'softmax_digits lr=1e-6 seed 0: epoch 1/1' in done.stdout
    for config in (POD, SOFTMAX):
        learned, stuck = rows_by_name(table)[config.stem]
        assert learned.startswith('**') and float(learned.strip('*')) > float(stuck)
        run = json.loads((tmp_path / 'w' / config.stem / 'lr=1e-6' / 'seed0' / 'run.json').read_text())
        assert run['finished'] and run['options'] == [option, 'optim_wrapper.optimizer.lr=1e-6']
    said, error = tool('tune', *arguments, '--cfg-options', option)
    assert not error and said.count('already finished in') == 4


def leaf_on_digits(leaf, base):
    """Return the text of a shipped leaf of the small CIFAR-10 setting, on the digits instead."""
    delta = (ROOT / f'configs/small/{leaf}.py').read_text().partition("_10k.py']\n")[2]
    return f"_base_ = ['{base}']\n" + delta


@pytest.mark.slow
def test_cot_trains_and_resumes_in_two_processes(tmp_path, run_command):
    (tmp_path / 'cot.py').write_text(leaf_on_digits('cot_cifar10_10k', SOFTMAX))
    work_dir = tmp_path / 'work'
    train = ['bash', ROOT / 'tools/dist_train.sh', tmp_path / 'cot.py', 2, '--work-dir', work_dir, '--resume']
    options = ['train_cfg.max_epochs=2', 'param_scheduler.milestones=[1]', 'train_dataloader.batch_size=32', *SEED]
    command = [*train, '--cfg-options', 'optim_wrapper.clip_grad.max_norm=1.0', *options, *NO_AUGMENTATION]
    run_command(*command)
    entries = [entry for entry in read_log(work_dir) if 'loss' in entry]
    assert all(entry['loss_complement'] < 0 for entry in entries)
    for name in ('primary.lr', 'complement.lr'):
        assert [entry[name] for entry in entries] == pytest.approx([0.1, 0.01])
    (work_dir / 'epoch_2.pth').rename(tmp_path / 'whole.pth')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
    run_command(*command)
    resumed, whole = (
        torch.load(path, weights_only=True) for path in (work_dir / 'epoch_2.pth', tmp_path / 'whole.pth')
    )
    for name in ('head.fc.weight', 'backbone.conv1.weight'):
        assert_close(resumed['state_dict'][name], whole['state_dict'][name], rtol=1e-4, atol=1e-5)
    for name in ('primary', 'complement'):
        momenta = [checkpoint['optimizer'][name]['state'][0]['momentum_buffer'] for checkpoint in (resumed, whole)]
        assert_close(*momenta, rtol=1e-3, atol=1e-4)


def test_norm_adaptive_delta_is_set_in_two_processes_and_saved(tmp_path, run_command):
    (tmp_path / 'adaptive.py').write_text(leaf_on_digits('pod_cifar10_10k_normadaptive', POD))
    command = ['bash', ROOT / 'tools/dist_train.sh', tmp_path / 'adaptive.py', 2, '--work-dir', tmp_path / 'work']
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'train_dataloader.batch_size=32', *SEED]
    run_command(*command, *options)
    (entry,) = [entry for entry in read_log(tmp_path / 'work') if 'delta' in entry]
    assert entry['epoch'] == 2 and entry['delta'] == pytest.approx(0.01 * entry['feature_length'], rel=1e-5)
    saved = [
        torch.load(tmp_path / f'work/epoch_{epoch}.pth', weights_only=True)['state_dict']['head.loss_module.delta']
        for epoch in (1, 2)
    ]
    assert saved[0].item() == pytest.approx(entry['delta'], rel=1e-5) and saved[1] > 1.2 * saved[0]

"""Files that a command line cannot use: one sentence and exit status 1 or 2, never a traceback."""

import re
import runpy
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmpretrain import get_model

DIGITS, SOFTMAX = (f'configs/small/{loss}_digits.py' for loss in ('pod', 'softmax'))
TOOLS = {
    'export.py': ['--format', 'torchscript'],
    'plot_geometry.py': ['--method', 'pca', '--out', 'drawn'],
    'test.py': ['--out', 'metrics.json', '--out-item', 'metrics'],
}
RESULTS = {'export.py': 'old.pt', 'plot_geometry.py': 'drawn/geometry.json', 'test.py': 'metrics.json'}


@pytest.fixture
def checkpoints(root, tmp_path, monkeypatch):
    """Write the files and work beside them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    weights = get_model(Config.fromfile(root / DIGITS)).state_dict()
    torch.save(dict(state_dict=weights), 'old.pth', _use_new_zipfile_serialization=False)
    torch.save(dict(state_dict=weights, message_hub=HistoryBuffer()), 'mmengine.pth')
    torch.save(dict(state_dict={'other.weight': torch.zeros(1)}), 'other.pth')
    whole = (tmp_path / 'other.pth').read_bytes()
    (tmp_path / 'cut.pth').write_bytes(whole[: len(whole) // 2])
    (tmp_path / 'text.pth').write_text('epoch 1\n')
    (tmp_path / 'empty.pth').write_text('')


def call(root, monkeypatch, tool, config, checkpoint, *options):
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setattr('sys.argv', [tool, str(config), checkpoint, *TOOLS[tool], *options])
    runpy.run_path(str(root / 'tools' / tool), run_name='__main__')


@pytest.mark.parametrize('tool', TOOLS)
@pytest.mark.parametrize(
    'config, checkpoint, words',
    [
        ('nowhere.py', 'old.pth', 'nowhere.py` to be a file'),
        (DIGITS, 'nowhere.pth', 'nowhere.pth`'),
        (DIGITS, 'text.pth', 'text.pth` to be a checkpoint, but it is another kind of file'),
        (DIGITS, 'empty.pth', 'empty.pth` to be a checkpoint'),
        (DIGITS, 'cut.pth', 'cut.pth` to be a checkpoint'),
        (DIGITS, 'mmengine.pth', '`mmengine.pth` to hold plain data'),
        (DIGITS, 'other.pth', '`other.pth` to hold exactly the weights of the model, but they differ'),
    ],
)
def test_a_sentence_in_place_of_a_traceback(
    tool, config, checkpoint, words, checkpoints, root, tmp_path, monkeypatch, capsys
):
    with pytest.raises(SystemExit) as stopped:
        call(root, monkeypatch, tool, root / config if config == DIGITS else config, checkpoint)
    said = capsys.readouterr().err + str(stopped.value)
    assert words in said and 'error: ' in said and stopped.value.code != 0
    assert not any((tmp_path / result).exists() for result in RESULTS.values())


@pytest.mark.parametrize('tool', TOOLS)
def test_configs_and_options_that_do_not_load(tool, checkpoints, root, tmp_path, monkeypatch):
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    option = 'test_dataloader.dataset.pipeline.9.type=x'
    for config, options, words in (
        ('broken.py', [], 'broken.py` to load as a config, but got SyntaxError'),
        (root / DIGITS, ['--cfg-options', option], 'Expected --cfg-options to fit the config'),
    ):
        with pytest.raises(SystemExit, match=f'error: .*{words}'):
            call(root, monkeypatch, tool, config, 'old.pth', *options)


@pytest.mark.parametrize('tool, name', [('export.py', 'model.pt'), ('test.py', 'metrics.json')])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    tool, name, checkpoints, root, monkeypatch, capsys
):
    with pytest.raises(SystemExit, match=f'error: Expected .*out.* that can be written, but got `old.pth/{name}`'):
        call(root, monkeypatch, tool, root / DIGITS, 'old.pth', '--out', f'old.pth/{name}')
    assert 'accuracy' not in capsys.readouterr().out


@pytest.mark.parametrize('tool', TOOLS)
def test_checkpoints_of_older_pytorch_load(tool, checkpoints, root, tmp_path, monkeypatch):
    call(root, monkeypatch, tool, root / DIGITS, 'old.pth')
    assert (tmp_path / RESULTS[tool]).is_file()


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['train.py', 'configs/nowhere.py'], ['nowhere.py` to be a file', '/']),
        (['test.py', DIGITS, 'nowhere.pth'], ['nowhere.pth` to be a file', '/']),
        (['train.py', 'broken.py'], ['broken.py` to load as a config', 'SyntaxError']),
        (['train.py', 'empty.py'], ['model, train_dataloader, train_cfg, optim_wrapper is missing']),
        (['train.py', 'empty.py', '--amp'], ['model, train_dataloader, train_cfg, optim_wrapper is missing']),
        (['test.py', 'empty.py', 'w.pth', '--amp'], ['test_dataloader, test_cfg, test_evaluator is missing']),
        (['test.py', 'empty.py', 'w.pth', '--tta'], ['test_dataloader, test_cfg, test_evaluator is missing']),
        (['test.py', 'wrapped.py', 'w.pth', '--tta'], ['its own `pipeline` for --tta', 'RepeatDataset']),
        (['train.py', 'files.py'], ['/data/train.txt']),
        (['train.py', DIGITS, 'model.head.loss.type=mmpod.PodLoss'], ["Did you mean 'mmpod.PODLoss'?"]),
        (['train.py', DIGITS, 'train_dataloader.dataset.type=SklearnDigit'], ["Did you mean 'SklearnDigits'?"]),
        (['train.py', DIGITS, 'optim_wrapper.optimizer.momentun=0.9'], ['SGD cannot be built', 'momentun']),
        (['train.py', DIGITS, 'optim_wraper.optimizer.lr=1'], ["Did you mean 'optim_wrapper'?"]),
        (['train.py', DIGITS, 'train_dataloader.dataset.pipeline.9.type=x'], ['--cfg-options']),
        (['train.py', SOFTMAX, 'model.head.num_classes=9'], ['Set model.head.num_classes=10']),
        (['train.py', DIGITS, '--amp'], ['--amp', 'GPU']),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else None,
)
def test_training_and_evaluation_end_with_one_sentence(arguments, words, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    (tmp_path / 'empty.py').write_text('a = 1\n')
    (tmp_path / 'files.py').write_text(
        f"_base_ = ['{root / DIGITS}']\n"
        "train_dataloader = dict(dataset=dict(_delete_=True, type='CustomDataset', ann_file='data/train.txt'))\n"
    )
    (tmp_path / 'wrapped.py').write_text(
        f"_base_ = ['{root / DIGITS}']\n"
        "data = dict(type='SklearnDigits', split='test', pipeline=[dict(type='PackInputs')])\n"
        "test_dataloader = dict(dataset=dict(_delete_=True, type='RepeatDataset', times=1, dataset=data))\n"
    )
    tool, *names = arguments
    options = [name for name in names if '=' in name]
    names = [root / name if (root / name).is_file() else name for name in names if name not in options]
    command = [tool, *names, '--work-dir', 'work', *(['--cfg-options'] if options else []), *options]
    monkeypatch.setattr('sys.argv', [str(word) for word in command])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(root / 'tools' / tool), run_name='__main__')
    said = stopped.value.code
    assert said.startswith('error: ') and '\n' not in said and all(word in said for word in words)


def test_a_training_run_ends_with_its_error_and_no_advice_of_others(root, run_command):
    command = [
        sys.executable,
        root / 'tools/train.py',
        root / DIGITS,
        '--cfg-options',
        'optim_wrapper.optimizer.lr=1e30',
    ]
    done = run_command(*command, status=1, env=dict(PYTHONWARNINGS='default'))
    assert re.fullmatch('error: Expected a finite loss, .* diverged.*\n', done.stderr)
    assert 'will be deprecated' not in done.stdout


def test_a_bug_keeps_its_traceback(root, run_command):
    options = ['model.head.num_classes=9', 'default_hooks.check_data=None', 'train_cfg.max_epochs=1']
    command = [sys.executable, root / 'tools/train.py', root / SOFTMAX, '--cfg-options', *options]
    assert 'Traceback' in run_command(*command, status=1).stderr


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_help_answers_at_once(tool, root, run_command):
    """Without PyTorch and mmpretrain, which take seconds to import."""
    script = (
        'import runpy, sys\n'
        'try:\n'
        f'    runpy.run_path({str(root / "tools" / tool)!r}, run_name="__main__")\n'
        'finally:\n'
        '    assert not {"torch", "mmpretrain"} & sys.modules.keys()\n'
    )
    done = run_command(sys.executable, '-c', f'import sys; sys.argv = ["{tool}", "--help"]\n{script}')
    assert '--cfg-options' in done.stdout

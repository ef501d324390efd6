"""Files that a command line cannot use: one sentence and exit status 1 or 2, never a traceback."""

import re
import sys

import pytest
import torch
from helpers import POD, ROOT, SOFTMAX
from mmengine.logging import HistoryBuffer
from mmpretrain import get_model

TOOLS = {
    'export': ['--format', 'torchscript'],
    'plot_geometry': ['--method', 'pca', '--out', 'drawn'],
    'test': ['--out', 'metrics.json', '--out-item', 'metrics'],
}
RESULTS = {'export': 'old.pt', 'plot_geometry': 'drawn/geometry.json', 'test': 'metrics.json'}


@pytest.fixture
def checkpoints(tool, tmp_path):
    """Write the files into the folder that the tools are called in."""
    weights = get_model(POD).state_dict()
    torch.save(dict(state_dict=weights), 'old.pth', _use_new_zipfile_serialization=False)
    torch.save(dict(state_dict=weights, message_hub=HistoryBuffer()), 'mmengine.pth')
    torch.save(dict(state_dict={'other.weight': torch.zeros(1)}), 'other.pth')
    (tmp_path / 'text.pth').write_text('epoch 1\n')
    (tmp_path / 'broken.py').write_text('model = dict(\n')


@pytest.mark.parametrize('name', TOOLS)
@pytest.mark.parametrize(
    'config, checkpoint, words',
    [
        ('nowhere.py', 'old.pth', 'nowhere.py` to be a file'),
        ('broken.py', 'old.pth', 'broken.py` to load as a config, but got SyntaxError'),
        (POD, 'text.pth', 'text.pth` to be a checkpoint, but it is another kind of file'),
        (POD, 'mmengine.pth', '`mmengine.pth` to hold plain data'),
        (POD, 'other.pth', '`other.pth` to hold exactly the weights of the model, but they differ'),
    ],
    ids=['nowhere', 'broken', 'text', 'mmengine', 'other'],
)
def test_a_sentence_in_place_of_a_traceback(name, config, checkpoint, words, checkpoints, tool, tmp_path):
    said, error = tool(name, config, checkpoint, *TOOLS[name])
    assert error and 'error: ' in said + error and words in said + error
    assert not (tmp_path / RESULTS[name]).exists()


@pytest.mark.parametrize('name', TOOLS)
def test_options_that_do_not_fit_the_config(name, checkpoints, tool):
    option = 'test_dataloader.dataset.pipeline.9.type=x'
    _, error = tool(name, POD, 'old.pth', *TOOLS[name], '--cfg-options', option)
    assert error.startswith('error: Expected --cfg-options to fit the config')


@pytest.mark.parametrize('name, file', [('export', 'model.pt'), ('test', 'metrics.json')])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(name, file, checkpoints, tool):
    said, error = tool(name, POD, 'old.pth', *TOOLS[name], '--out', f'old.pth/{file}')
    assert re.match(f'error: Expected .*out.* that can be written, but got `old.pth/{file}`', error)
    assert 'accuracy' not in said


def test_checkpoints_of_older_pytorch_load(checkpoints, tool, tmp_path):
    assert not tool('test', POD, 'old.pth', *TOOLS['test'])[1]
    assert (tmp_path / RESULTS['test']).is_file()


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['train', 'nowhere.py'], ['nowhere.py` to be a file', '/']),
        (['test', POD, 'nowhere.pth'], ['nowhere.pth` to be a file', '/']),
        (['train', 'broken.py'], ['broken.py` to load as a config', 'SyntaxError']),
        (['train', 'empty.py', '--amp'], ['model, train_dataloader, train_cfg, optim_wrapper is missing']),
        (['test', 'empty.py', 'w.pth', '--amp'], ['test_dataloader, test_cfg, test_evaluator is missing']),
        (['test', 'empty.py', 'w.pth', '--tta'], ['test_dataloader, test_cfg, test_evaluator is missing']),
        (['plot_geometry', 'empty.py', 'w.pth', '--out', 'drawn'], ['test_cfg, test_evaluator is missing']),
        (['test', 'wrapped.py', 'w.pth', '--tta'], ['its own `pipeline` for --tta', 'RepeatDataset']),
        (['train', 'files.py'], ['/data/train.txt']),
        (['train', 'misspelt.py'], ['`default_hooks.checkpoint`', "'intervall'", "mean 'interval'?"]),
        (['train', POD, '--cfg-options', 'train_dataloader.dataset.type=SklearnDigit'], ["mean 'SklearnDigits'?"]),
        (['train', POD, '--cfg-options', 'optim_wrapper.optimizer.inertia=0.9'], ['SGD cannot be built', 'inertia']),
        (['train', POD, '--amp'], ['--amp', 'GPU']),
    ],
    ids=lambda value: ' '.join(getattr(word, 'name', word) for word in value) if value[0] in ('train', *TOOLS) else '',
)
def test_training_and_evaluation_end_with_one_sentence(arguments, words, tool, tmp_path):
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    (tmp_path / 'empty.py').write_text('a = 1\n')
    (tmp_path / 'files.py').write_text(
        f"_base_ = ['{POD}']\n"
        "train_dataloader = dict(dataset=dict(_delete_=True, type='CustomDataset', ann_file='data/train.txt'))\n"
    )
    (tmp_path / 'misspelt.py').write_text(f"_base_ = ['{POD}']\ndefault_hooks = dict(checkpoint=dict(intervall=1))\n")
    (tmp_path / 'wrapped.py').write_text(
        f"_base_ = ['{POD}']\n"
        "data = dict(type='SklearnDigits', split='test', pipeline=[dict(type='PackInputs')])\n"
        "test_dataloader = dict(dataset=dict(_delete_=True, type='RepeatDataset', times=1, dataset=data))\n"
    )
    _, error = tool(*arguments)
    assert error.startswith('error: ') and '\n' not in error and all(word in error for word in words)


def test_a_training_run_ends_with_its_error_and_no_advice_of_others(run_command):
    command = [sys.executable, ROOT / 'tools/train.py', POD, '--cfg-options', 'optim_wrapper.optimizer.lr=1e30']
    done = run_command(*command, status=1, env=dict(PYTHONWARNINGS=''))  # as users have it
    assert re.fullmatch('error: Expected a finite loss, .* diverged.*\n', done.stderr)
    assert 'will be deprecated' not in done.stdout


def test_a_bug_keeps_its_traceback(run_command):
    options = ['model.head.num_classes=9', 'default_hooks.check_data=None', 'train_cfg.max_epochs=1']
    command = [sys.executable, ROOT / 'tools/train.py', SOFTMAX, '--cfg-options', *options]
    assert 'Traceback' in run_command(*command, status=1).stderr


@pytest.mark.parametrize('name', ['train.py', 'test.py'])
def test_help_answers_at_once(name, run_command):
    """Without PyTorch and mmpretrain, which take seconds to import."""
    script = (
        'import runpy, sys\n'
        'try:\n'
        f'    runpy.run_path({str(ROOT / "tools" / name)!r}, run_name="__main__")\n'
        'finally:\n'
        '    assert not {"torch", "mmpretrain"} & sys.modules.keys()\n'
    )
    done = run_command(sys.executable, '-c', f'import sys; sys.argv = ["{name}", "--help"]\n{script}')
    assert '--cfg-options' in done.stdout

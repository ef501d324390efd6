"""Files that a command line cannot use: one sentence and exit status 1 or 2, never a traceback."""

import runpy

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmpretrain import get_model

DIGITS = 'configs/small/pod_digits.py'
TOOLS = {'export.py': ['--format', 'torchscript'], 'plot_geometry.py': ['--method', 'pca', '--out', 'drawn']}


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


def call(root, monkeypatch, tool, config, checkpoint):
    monkeypatch.setattr('sys.argv', [tool, str(config), checkpoint, *TOOLS[tool]])
    runpy.run_path(str(root / 'tools' / tool), run_name='__main__')


@pytest.mark.parametrize('tool', TOOLS)
@pytest.mark.parametrize(
    'config, checkpoint, words',
    [
        ('nowhere.py', 'old.pth', 'the config `nowhere.py` to be a file'),
        (DIGITS, 'nowhere.pth', '`nowhere.pth`'),
        (DIGITS, 'text.pth', '`text.pth` to be a checkpoint, but it is another kind of file'),
        (DIGITS, 'empty.pth', '`empty.pth` to be a checkpoint'),
        (DIGITS, 'cut.pth', '`cut.pth` to be a checkpoint'),
        (DIGITS, 'mmengine.pth', '`mmengine.pth` to hold plain data'),
        (DIGITS, 'other.pth', '`other.pth` to hold the weights of pod_digits.py, but they differ'),
    ],
)
def test_a_sentence_in_place_of_a_traceback(
    tool, config, checkpoint, words, checkpoints, root, tmp_path, monkeypatch, capsys
):
    with pytest.raises(SystemExit) as stopped:
        call(root, monkeypatch, tool, root / config if config == DIGITS else config, checkpoint)
    said = capsys.readouterr().err + str(stopped.value)
    assert words in said and 'error: ' in said and stopped.value.code != 0
    assert not list(tmp_path.rglob('*.png')) and not list(tmp_path.glob('*.pt'))


@pytest.mark.parametrize('tool', TOOLS)
def test_checkpoints_of_older_pytorch_load(tool, checkpoints, root, tmp_path, monkeypatch):
    call(root, monkeypatch, tool, root / DIGITS, 'old.pth')
    assert (tmp_path / ('old.pt' if tool == 'export.py' else 'drawn/geometry.json')).is_file()

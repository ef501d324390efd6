"""tools/convert_config.py as a user calls it."""

import ast
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from mmengine.config import Config

import mmpod
from mmpod.conversion.config_writer import find_base, read_base, write_converted
from mmpod.conversion.convert import plan_conversion
from mmpod.conversion.target_losses import LOSSES

RESNET18 = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
BASE = """
depth = 18
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=depth, base_channels=8, stem_channels=8),
    neck=None,
    head=dict(type='StackedLinearClsHead', num_classes=10, in_channels=64, mid_channels=[32], topk=(1, 5)))
"""


@pytest.fixture
def net(tmp_path):
    """Write a config and return its path."""
    (tmp_path / 'net.py').write_text(BASE)
    return tmp_path / 'net.py'


def write(base, output, command=()):
    """Read, convert and write a config; return the original."""
    cfg = read_base(base)
    write_converted(base, cfg, plan_conversion(cfg), output, command)
    return cfg


def test_a_shipped_config_is_inherited_by_its_package(tool, tmp_path):
    output = tmp_path / 'new' / 'pod.py'
    said, error = tool('convert_config', RESNET18, '-o', output, '--feat-dim', '1024', '--sc-weight', '0.5')
    assert not error and 'POD Loss (512 channels -> 1024 dimensions)' in said
    text = output.read_text()
    assert f"_base_ = ['{RESNET18}']" in text and '--sc-weight 0.5' in text and len(text.splitlines()) < 25
    cfg = Config.fromfile(output)
    assert cfg.model.head.loss == dict(type='mmpod.PODLoss', sc_weight=0.5)
    assert cfg.train_dataloader.batch_size == 32


def test_the_head_as_printed_in_the_paper(tool, net, tmp_path):
    assert not tool('convert_config', net, '-o', 'pod.py', '--paper', '--gda')[1]
    assert 'norm_cfg' not in Config.fromfile(tmp_path / 'pod.py').model.head
    assert '--paper' in (tmp_path / 'pod.py').read_text()
    assert Config.fromfile(tmp_path / 'gda_pod.py').model.covariance == 'class'


def test_a_path_is_inherited_relatively_and_the_folder_can_move(net, tmp_path):
    output = tmp_path / 'pod' / 'net.py'
    (tmp_path / 'configs').mkdir()
    cfg = write(net.rename(tmp_path / 'configs' / 'net.py'), output, ['convert', 'a name'])
    text = output.read_text()
    assert "_base_ = ['../configs/net.py']" in text and "convert 'a name'" in text
    assert 'mid_channels=[32] of StackedLinearClsHead is dropped' in text
    assert [path.name for path in output.parent.iterdir()] == ['net.py']
    (tmp_path / 'pod').rename(tmp_path / 'moved')
    converted = Config.fromfile(tmp_path / 'moved' / 'net.py')
    assert converted.to_dict() == mmpod.convert(cfg).to_dict()
    assert [neck.type for neck in converted.model.neck] == ['GlobalAveragePooling']


def test_other_files_of_the_folder_stay(net, tmp_path):
    own = tmp_path / 'pod_draft.py'
    own.write_text('# of the user')
    write(net, tmp_path / 'pod.py')
    assert own.read_text() == '# of the user'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['net.py', 'pod.py', 'pod_draft.py']


@pytest.mark.parametrize('name', [r'a\Nx.py', '"""x.py', 'x"', '\\'])
def test_any_command_stands_in_the_docstring(name, net, tmp_path):
    write(net, tmp_path / 'pod.py', ['convert', '-o', name])
    assert f"convert -o '{name}'" in ast.get_docstring(ast.parse((tmp_path / 'pod.py').read_text()))


def test_a_model_of_the_hub_is_found_by_its_name():
    assert find_base('resnet18_8xb32_in1k') == find_base(RESNET18)


def test_one_config_for_each_loss(tool, net, tmp_path):
    folder = tmp_path / 'losses'
    said, error = tool('convert_config', net, '-o', folder, '--loss', 'all', '--gda', '--feat-dim', '16')
    assert not error
    names = [*LOSSES, 'gda_pod', 'gda_cosine', 'gda_pedccmse', 'gda_pedccloss']
    assert sorted(path.name for path in folder.iterdir()) == sorted(f'{name}_net.py' for name in names)
    cfgs = {name: Config.fromfile(folder / f'{name}_net.py') for name in names}
    assert cfgs['softmax'].model == Config.fromfile(net).model
    assert (
        cfgs['cosine'].model.head.norm_cfg == dict(type='BN1d', affine=False) and cfgs['pod'].model.head.feat_dim == 16
    )
    assert cfgs['center'].model.head.loss.feat_dim == cfgs['center'].model.head.in_channels == 64
    assert cfgs['gda_pod'].model.covariance == 'shared'
    assert cfgs['gda_pod'].model.type == 'mmpod.GDAClassifier' and cfgs['gda_pod'].model.head == cfgs['pod'].model.head
    command = said.splitlines()[-1].split('tools/compare.py ')[1].split(' --seeds')[0]
    assert {Path(name).stem for name in command.split()} == {f'{name}_net' for name in names}


def test_bases_of_an_editable_install_lie_beside_the_package(tmp_path, monkeypatch):
    """Today's `pip install -e .` of a fork makes no `.mim`; MMEngine alone then finds no `mmpretrain::` base."""
    checkout = tmp_path / 'fork'
    (checkout / 'mmpretrain').mkdir(parents=True)
    (checkout / 'configs' / 'net').mkdir(parents=True)
    (checkout / 'configs' / 'net' / 'net_8xb32.py').write_text(BASE)
    (checkout / 'model-index.yml').write_text('Import:\n  - configs/net/metafile.yml\n')
    metafile = 'Models:\n  - Name: net_3rdparty_8xb32\n    Config: configs/net/net_8xb32.py\n    In Collection: Net\n'
    (checkout / 'configs' / 'net' / 'metafile.yml').write_text('Collections:\n  - Name: Net\n' + metafile)
    spec = ModuleSpec('mmpretrain', None, origin=str(checkout / 'mmpretrain' / '__init__.py'))
    monkeypatch.setattr('mmpod.utils.paths.find_spec', lambda name: spec)
    base = find_base('net_3rdparty_8xb32')
    assert base == find_base('mmpretrain::net/net_8xb32.py') == checkout / 'configs' / 'net' / 'net_8xb32.py'
    write(base, tmp_path / 'pod.py')
    assert "_base_ = ['fork/configs/net/net_8xb32.py']" in (tmp_path / 'pod.py').read_text()


def test_what_is_refused_leaves_no_file(tool, tmp_path):
    def error_of(*options):
        return tool('convert_config', RESNET18, '-o', 'pod.py', *options)[1]

    assert 'at least num_classes - 1 = 999, but got 99' in error_of('--feat-dim', '99')
    assert not (tmp_path / 'pod.py').exists()
    (tmp_path / 'pod.py').write_text('kept')
    assert 'exists. Name another, or add --force' in error_of()
    assert (tmp_path / 'pod.py').read_text() == 'kept'
    assert 'a folder for 2 losses' in error_of('--loss', 'pod', 'softmax')


@pytest.mark.parametrize(
    'name', ['no_such_model', 'folder/none.py', 'mmpretrain::resnet/none.py', 'nopkg::x/y.py', '::x.py']
)
def test_unknown_bases(name):
    with pytest.raises(FileNotFoundError, match='Expected `BASE` to be a config'):
        find_base(name)


def test_files_that_cannot_be_inherited(net, tmp_path):
    (tmp_path / 'broken.py').write_text('model = dict(')
    with pytest.raises(ValueError, match='to load as a config, but got SyntaxError'):
        read_base(tmp_path / 'broken.py')
    (tmp_path / 'empty.py').write_text('')
    lazy = 'from mmengine.config import read_base\n\nwith read_base():\n    from .empty import *\n'
    (tmp_path / 'lazy.py').write_text(lazy + "model = dict(type='A')\n")
    with pytest.raises(ValueError, match='a text config, but it is a pure Python config'):
        read_base(tmp_path / 'lazy.py')
    with pytest.raises(ValueError, match='a file other than the original'):
        write(net, net)
    with pytest.raises(ValueError, match='to end in `.py`, but got `pod.yaml`'):
        write(net, Path('pod.yaml'))
    assert net.read_text() == BASE

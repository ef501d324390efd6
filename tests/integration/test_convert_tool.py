"""tools/convert_config.py as a user calls it."""

import ast
import csv
import os
import re
import runpy
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from mmengine.config import Config

import mmpod
from mmpod.conversion.config_writer import find_base, read_base, write_converted
from mmpod.conversion.losses import LOSSES
from mmpod.conversion.plan import plan_conversion

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
def convert(root, run_command):
    return lambda *arguments: run_command(sys.executable, root / 'tools/convert_config.py', *arguments)


def refused(root, *arguments):
    command = [sys.executable, str(root / 'tools/convert_config.py'), *map(str, arguments)]
    environment = dict(os.environ, PYTHONPATH=str(root), PYTHONWARNINGS='ignore')
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and 'Traceback' not in done.stderr, done.stderr
    return done.stderr


def test_a_shipped_config_is_inherited_by_its_package(convert, tmp_path):
    output = tmp_path / 'new' / 'pod.py'
    done = convert(RESNET18, '-o', output, '--feat-dim', '1024', '--sc-weight', '0.5')
    assert 'POD Loss (512 channels -> 1024 dimensions)' in done.stdout
    text = output.read_text()
    assert f"_base_ = ['{RESNET18}']" in text and '--sc-weight 0.5' in text and len(text.splitlines()) < 25
    cfg = Config.fromfile(output)
    assert cfg.model.head.loss == dict(type='mmpod.PODLoss', sc_weight=0.5)
    assert cfg.train_dataloader.batch_size == 32


def test_the_head_as_printed_in_the_paper(convert, tmp_path):
    (tmp_path / 'net.py').write_text(BASE)
    convert(tmp_path / 'net.py', '-o', tmp_path / 'pod.py', '--paper', '--gda')
    assert 'norm_cfg' not in Config.fromfile(tmp_path / 'pod.py').model.head
    assert '--paper' in (tmp_path / 'pod.py').read_text()
    assert Config.fromfile(tmp_path / 'gda_pod.py').model.covariance == 'class'


def test_a_path_is_inherited_relatively_and_the_folder_can_move(tmp_path):
    (tmp_path / 'configs').mkdir()
    base, output = tmp_path / 'configs' / 'net.py', tmp_path / 'pod' / 'net.py'
    base.write_text(BASE)
    cfg = read_base(find_base(str(base)))
    plan = plan_conversion(cfg)
    write_converted(base, cfg, plan, output, ['convert', 'a name'])
    text = output.read_text()
    assert "_base_ = ['../configs/net.py']" in text and "convert 'a name'" in text
    assert 'mid_channels=[32] of StackedLinearClsHead is dropped' in text
    assert [path.name for path in output.parent.iterdir()] == ['net.py']
    (tmp_path / 'pod').rename(tmp_path / 'moved')
    converted = Config.fromfile(tmp_path / 'moved' / 'net.py')
    assert converted.to_dict() == mmpod.convert(cfg).to_dict()
    assert [neck.type for neck in converted.model.neck] == ['GlobalAveragePooling']


def test_other_files_of_the_folder_stay(tmp_path):
    base, own = tmp_path / 'net.py', tmp_path / 'pod_draft.py'
    base.write_text(BASE)
    own.write_text('# of the user')
    cfg = read_base(base)
    write_converted(base, cfg, plan_conversion(cfg), tmp_path / 'pod.py', [])
    assert own.read_text() == '# of the user'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['net.py', 'pod.py', 'pod_draft.py']


@pytest.mark.parametrize('name', [r'a\Nx.py', '"""x.py', 'x"', '\\'])
def test_any_command_stands_in_the_docstring(name, tmp_path):
    base, output = tmp_path / 'net.py', tmp_path / 'pod.py'
    base.write_text(BASE)
    cfg = read_base(base)
    write_converted(base, cfg, plan_conversion(cfg), output, ['convert', '-o', name])
    assert f"convert -o '{name}'" in ast.get_docstring(ast.parse(output.read_text()))


def test_a_model_of_the_hub_is_found_by_its_name():
    assert find_base('resnet18_8xb32_in1k') == find_base(RESNET18)


def test_one_config_for_each_loss(convert, tmp_path):
    (tmp_path / 'net.py').write_text(BASE)
    folder = tmp_path / 'losses'
    done = convert(tmp_path / 'net.py', '-o', folder, '--loss', 'all', '--gda', '--feat-dim', '16')
    names = [*LOSSES, 'gda_pod', 'gda_cosine', 'gda_pedccmse', 'gda_pedccloss']
    assert sorted(path.name for path in folder.iterdir()) == sorted(f'{name}_net.py' for name in names)
    cfgs = {name: Config.fromfile(folder / f'{name}_net.py') for name in names}
    assert cfgs['softmax'].model == Config.fromfile(tmp_path / 'net.py').model
    assert (
        cfgs['cosine'].model.head.norm_cfg == dict(type='BN1d', affine=False) and cfgs['pod'].model.head.feat_dim == 16
    )
    assert cfgs['center'].model.head.loss.feat_dim == cfgs['center'].model.head.in_channels == 64
    assert cfgs['gda_pod'].model.covariance == 'shared'
    assert cfgs['gda_pod'].model.type == 'mmpod.GDAClassifier' and cfgs['gda_pod'].model.head == cfgs['pod'].model.head
    command = done.stdout.splitlines()[-1].split('tools/compare.py ')[1].split(' --seeds')[0]
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
    cfg = read_base(base)
    write_converted(base, cfg, plan_conversion(cfg), tmp_path / 'pod.py', [])
    assert "_base_ = ['fork/configs/net/net_8xb32.py']" in (tmp_path / 'pod.py').read_text()


def test_the_table_of_the_page_is_that_of_the_record(root):
    table = runpy.run_path(str(root / 'benchmarks/convert_table.py'))['tables']
    with (root / 'results/benchmarks/convert_sweep.csv').open() as file:
        text = table(list(csv.DictReader(file)))
    assert text == (root / 'docs/generated/convert.md').read_text()
    assert '--8<-- "docs/generated/convert.md"' in (root / 'docs/convert_table.md').read_text()
    assert '--8<-- "docs/generated/convert.md:1:1"' in (root / 'docs/convert.md').read_text()
    assert re.match(r'.*\*\*\d+ of \d+\*\* single-label configs convert.*\n\n', text)  # the first line: the totals


def test_what_is_refused_leaves_no_file(root, tmp_path):
    output = tmp_path / 'pod.py'
    assert 'at least num_classes - 1 = 999, but got 99' in refused(root, RESNET18, '-o', output, '--feat-dim', '99')
    assert not output.exists()
    output.write_text('kept')
    assert 'exists. Name another, or add --force' in refused(root, RESNET18, '-o', output)
    assert output.read_text() == 'kept'
    assert 'a folder for the output of 2 losses' in refused(root, RESNET18, '-o', output, '--loss', 'pod', 'softmax')


@pytest.mark.parametrize(
    'name', ['no_such_model', 'folder/none.py', 'mmpretrain::resnet/none.py', 'nopkg::x/y.py', '::x.py']
)
def test_unknown_bases(name):
    with pytest.raises(FileNotFoundError, match='Expected `BASE` to be a config'):
        find_base(name)


def test_files_that_cannot_be_inherited(tmp_path):
    base = tmp_path / 'net.py'
    base.write_text('model = dict(')
    with pytest.raises(ValueError, match='to load as a config, but got SyntaxError'):
        read_base(base)
    (tmp_path / 'empty.py').write_text('')
    lazy = 'from mmengine.config import read_base\n\nwith read_base():\n    from .empty import *\n'
    base.write_text(lazy + "model = dict(type='A')\n")
    with pytest.raises(ValueError, match='a text config, but it is of the pure Python kind'):
        read_base(base)
    base.write_text(BASE)
    cfg = read_base(base)
    plan = plan_conversion(cfg)
    with pytest.raises(ValueError, match='a file other than the original'):
        write_converted(base, cfg, plan, base, [])
    with pytest.raises(ValueError, match='to end in `.py`, but got `pod.yaml`'):
        write_converted(base, cfg, plan, type(base)('pod.yaml'), [])
    assert base.read_text() == BASE

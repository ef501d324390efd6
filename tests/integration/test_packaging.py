"""`pip install .` brings configs, tools and the index along, and asks for the same packages on every machine."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile

import pytest
from setuptools import Distribution

SCRIPT = """
from mmengine.config import Config
config = Config.fromfile('mine.py')  # mmpod is not imported yet
print(config.model.head.loss.sc_weight, config.model.head.feat_dim, config.train_dataloader.batch_size)

import mmpod
from mmpretrain import ModelHub, get_model
index = mmpod.config_file('pod_resnet50_cifar10').rpartition('configs')[0]
print(index)
assert ModelHub.has('pod_resnet18w8_digits')
print(type(get_model('pod_resnet18w8_digits').head).__name__)
print(mmpod.Inferencer('pod_resnet18w8_digits').classes[7])  # with the weights that ship
"""


@pytest.fixture(scope='module')
def wheel(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    build = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--quiet', '--no-build-isolation', root]
    subprocess.run([*build, '--wheel-dir', folder], check=True)
    (path,) = folder.glob('mmpod-*.whl')
    return path


def test_wheel_carries_configs_tools_and_index(root, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith('METADATA'))).decode()
    shipped = [root / 'model-index.yml', *root.glob('configs/**/*.*'), *root.glob('tools/*')]
    for path in [*shipped, root / 'mmpod/py.typed', *root.glob('mmpod/**/*.py')]:
        relative = path.relative_to(root)
        if '__pycache__' in relative.parts or '.mim' in relative.parts or path.is_dir():
            continue
        prefix = '' if relative.parts[0] == 'mmpod' else 'mmpod/.mim/'
        assert prefix + relative.as_posix() in names
    assert {'mmpod/.mim/model-index.yml', 'mmpod/.mim/configs/metafile.yml'} <= names
    assert not [name for name in names if name.endswith('.pyc') or name.startswith('tests')]
    required = re.findall(r'^Requires-Dist: ([^;\n]*)$', metadata, re.M)
    runtime = (root / 'requirements/runtime.txt').read_text().splitlines()
    assert {named(line) for line in required} == {named(line) for line in runtime if line and line[0] != '#'}
    extras = set(re.findall(r'^Provides-Extra: (\w+)$', metadata, re.M))
    assert extras == {'demo', 'docs', 'experiments', 'export', 'tests', 'tools'}


def named(requirement):
    """Return the name and the set of bounds of a requirement."""
    name, bounds = re.fullmatch(r'([\w-]+)(.*)', requirement).groups()
    return name, frozenset(bound.strip() for bound in bounds.split(',') if bound)


def test_configs_build_on_those_of_an_installed_wheel(wheel, tmp_path, run_command):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / 'installed')
    (tmp_path / 'mine.py').write_text(
        "_base_ = __import__('mmpod').config_file('small/pod_digits')\n"
        'model = dict(head=dict(loss=dict(sc_weight=0.125)))\n'
    )
    done = run_command(sys.executable, '-c', SCRIPT, env=dict(PYTHONPATH=str(tmp_path / 'installed')))
    said = [line for line in done.stdout.splitlines() if 'Loads checkpoint' not in line]
    assert said[-4:] == ['0.125 256 64', f'{tmp_path}/installed/mmpod/.mim/', 'PEDCCHead', '7']


def test_a_folder_of_the_same_name_does_not_hide_the_package(tmp_path, run_command):
    """Such as the clone, in the folder that contains it."""
    (tmp_path / 'mmpod').mkdir()
    script = 'import mmpod.version; print(mmpod.version.__version__)'
    assert run_command(sys.executable, '-c', script, env=dict(PYTHONPATH='')).stdout.strip()


def test_numpy_that_torch_cannot_use_is_named(run_command):
    script = (
        'import torch\n'
        'def numpy(self):\n'
        "    raise RuntimeError('Numpy is not available')\n"
        'torch.Tensor.numpy = numpy\n'
        'import mmpod'
    )
    assert 'ImportError: Expected NumPy 1' in run_command(sys.executable, '-c', script, status=1).stderr


def test_editable_install_links_to_the_checkout(root, tmp_path, monkeypatch):
    monkeypatch.setattr('setuptools.setup', lambda **kwargs: None)
    script = runpy.run_path(str(root / 'setup.py'))
    build = script['BuildWithMim'](Distribution(dict(packages=[])))
    monkeypatch.setitem(type(build).run.__globals__, 'ROOT', tmp_path / 'before')
    for name in ('configs', 'tools', 'mmpod'):
        (tmp_path / 'before' / name).mkdir(parents=True)
    (tmp_path / 'before' / 'configs' / 'leaf.py').write_text('a = 1')
    shutil.copy(root / 'model-index.yml', tmp_path / 'before')
    build.build_lib, build.editable_mode = str(tmp_path / 'build'), True
    build.packages = build.py_modules = None
    build.run()
    # A checkout that was moved keeps working.
    moved = (tmp_path / 'before').rename(tmp_path / 'after') / 'mmpod' / '.mim'
    assert (moved / 'configs' / 'leaf.py').read_text() == 'a = 1'
    assert (moved / 'model-index.yml').read_text() == (root / 'model-index.yml').read_text()
    assert sorted(os.listdir(moved)) == ['configs', 'model-index.yml', 'tools']

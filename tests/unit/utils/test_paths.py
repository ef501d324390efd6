"""`pip install -e` of a fork leaves no `.mim`: bases are then those of the checkout around the package."""

from importlib.machinery import ModuleSpec

import pytest
from mmengine.config import Config

from mmpod.utils.paths import package_data

CHILD = "_base_ = ['mmpretrain::_base_/runtime.py']\nlog_level = 'DEBUG'\n"


@pytest.fixture
def fork(tmp_path, monkeypatch):
    spec = ModuleSpec('mmpretrain', None, origin=str(tmp_path / 'fork' / 'mmpretrain' / '__init__.py'))
    monkeypatch.setattr('mmpod.utils.paths.find_spec', lambda name: spec if name == 'mmpretrain' else None)
    (tmp_path / 'fork' / 'mmpretrain').mkdir(parents=True)
    (tmp_path / 'fork' / 'configs' / '_base_').mkdir(parents=True)
    (tmp_path / 'child.py').write_text(CHILD)
    return tmp_path / 'fork'


def test_a_base_of_the_checkout(fork, tmp_path):
    (fork / 'configs/_base_/runtime.py').write_text("env_cfg = dict(type='Own')\nlog_level = 'INFO'\n")
    cfg = Config.fromfile(tmp_path / 'child.py')
    assert cfg.env_cfg == dict(type='Own', _scope_='mmpretrain') and cfg.log_level == 'DEBUG'


def test_a_base_that_the_checkout_lacks(fork, tmp_path):
    with pytest.raises(FileNotFoundError, match='fork/configs/_base_/runtime.py'):
        Config.fromfile(tmp_path / 'child.py')


def test_bases_of_other_packages_are_found_as_before(fork, tmp_path):
    (tmp_path / 'base.py').write_text('a = 1\n')
    (tmp_path / 'child.py').write_text("_base_ = 'base.py'\n")
    assert Config.fromfile(tmp_path / 'child.py').a == 1
    assert package_data('no_such_package') is None and package_data('no.identifier') is None

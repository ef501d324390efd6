"""`pip install .` brings configs and tools along, and the right form of MMCV."""

import runpy
import sys
import zipfile
from types import SimpleNamespace


def test_wheel_carries_configs_and_tools(root, tmp_path, run_command):
    build = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--quiet', '--wheel-dir', tmp_path]
    run_command(*build, '--no-build-isolation', root, cwd=root)
    (wheel,) = tmp_path.glob('mmpod-*.whl')
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith('METADATA'))).decode()
    for path in [*root.glob('configs/**/*.py'), *root.glob('tools/*'), *root.glob('mmpod/**/*.py')]:
        relative = path.relative_to(root)
        if '__pycache__' in relative.parts or '.mim' in relative.parts or path.is_dir():
            continue
        prefix = '' if relative.parts[0] == 'mmpod' else 'mmpod/.mim/'
        assert prefix + relative.as_posix() in names
    assert {'mmpod/.mim/model-index.yml', 'mmpod/.mim/configs/metafile.yml'} <= names
    assert not [name for name in names if name.endswith('.pyc') or name.startswith('tests')]
    for requirement in ('torch', 'torchvision', 'numpy', 'mmengine', 'mmpretrain', 'setuptools<81'):
        assert f'Requires-Dist: {requirement}' in metadata


def test_full_mmcv_is_left_alone(root, monkeypatch):
    monkeypatch.setattr('setuptools.setup', lambda **kwargs: None)
    script = runpy.run_path(str(root / 'setup.py'))
    for installed, expected in (('mmcv', []), ('other', ['mmcv-lite>=2.0,<2.4'])):
        monkeypatch.setattr('importlib.metadata.distributions', lambda path, name=installed: [dist_named(name)])
        assert script['mmcv_requirement']() == expected


def dist_named(name):
    return SimpleNamespace(metadata={'Name': name})

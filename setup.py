"""Packaging: the library, and beside it `mmpod/.mim` with configs and tools, where MIM and MMEngine look for them."""

import os
import shutil
import sysconfig
from importlib import metadata
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = ('configs', 'tools', 'model-index.yml')


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    included = [item for line in lines if line.startswith('-r ') for item in requirements(line[3:].strip()[:-4])]
    return included + [line for line in lines if line and not line.startswith(('#', '-r '))]


def mmcv_requirement():
    """Ask for mmcv-lite, unless the full mmcv is there: both own the package `mmcv`, one would overwrite the other.

    pip builds in an isolated environment, so look into the one that the interpreter belongs to.
    """
    paths = [sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]
    installed = {dist.metadata['Name'].lower() for dist in metadata.distributions(path=paths) if dist.metadata['Name']}
    return [] if 'mmcv' in installed else ['mmcv-lite>=2.0,<2.4']


class BuildWithMim(build_py):
    """Add `.mim`: copies in a wheel, links to the checkout in an editable install."""

    def run(self):
        super().run()
        target = ROOT / 'mmpod' / '.mim' if self.editable_mode else Path(self.build_lib) / 'mmpod' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in SHIPPED:
            if self.editable_mode:
                os.symlink(ROOT / name, target / name)
            elif (ROOT / name).is_file():
                shutil.copy(ROOT / name, target / name)
            else:
                shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns('__pycache__'))


version = {}
exec((ROOT / 'mmpod' / 'version.py').read_text(), version)

setup(
    name='mmpod',
    version=version['__version__'],
    description='Softmax-free classification with predefined class centroids (PEDCC) and POD Loss for mmpretrain',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.9',
    packages=find_packages(include=['mmpod', 'mmpod.*']),
    install_requires=requirements('runtime') + mmcv_requirement(),
    extras_require={name: requirements(name) for name in ('demo', 'export', 'tests', 'tools')},
    cmdclass=dict(build_py=BuildWithMim),
)

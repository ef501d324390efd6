"""Packaging: the library and, in `mmpod/.mim`, configs, tools and index, where MIM and MMEngine look for them."""

import os
import re
import shutil
import sysconfig
from importlib import metadata
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# Distributions that bring the modules of another one.
FORKS = {
    'mmengine': {'mmengine-lite', 'onedl-mmengine'},
    'mmcv-lite': {'mmcv', 'onedl-mmcv'},
    'mmpretrain': {'onedl-mmpretrain'},
}
SHIPPED = ('configs', 'tools', 'model-index.yml')


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    included = [item for line in lines if line.startswith('-r ') for item in requirements(line[3:].strip()[:-4])]
    return included + [line for line in lines if line and not line.startswith(('#', '-r '))]


def runtime_requirements():
    """Leave out what a fork in this environment brings: both own the same modules, one would overwrite the other.

    pip builds in an isolated environment, so look into the one that the interpreter belongs to.
    """
    paths = [sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]
    installed = {dist.metadata['Name'].lower() for dist in metadata.distributions(path=paths) if dist.metadata['Name']}
    return [
        line for line in requirements('runtime') if installed.isdisjoint(FORKS.get(re.match('[a-z-]+', line)[0], ()))
    ]


class BuildWithMim(build_py):
    """Add `.mim`: copies in a wheel, links to the checkout in an editable install."""

    def run(self):
        super().run()
        target = ROOT / 'mmpod' / '.mim' if self.editable_mode else Path(self.build_lib) / 'mmpod' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in SHIPPED:
            if self.editable_mode:
                os.symlink(Path('../..') / name, target / name)
            elif (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy(ROOT / name, target / name)


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
    install_requires=runtime_requirements(),
    extras_require={name: requirements(name) for name in ('demo', 'export', 'tests', 'tools')},
    cmdclass=dict(build_py=BuildWithMim),
)

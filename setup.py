"""What pyproject.toml cannot say: configs, tools and index go to `mmpod/.mim`, where MIM and MMEngine look for them."""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithMim(build_py):
    """Add `.mim`: copies in a wheel, links to the checkout in an editable install."""

    def run(self):
        super().run()
        target = ROOT / 'mmpod' / '.mim' if self.editable_mode else Path(self.build_lib) / 'mmpod' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in ('configs', 'tools', 'model-index.yml'):
            if self.editable_mode:
                os.symlink(Path('../..') / name, target / name)
            elif (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy(ROOT / name, target / name)


setup(cmdclass=dict(build_py=BuildWithMim))

"""docs/tutorial.md is carried out as it stands, and what it leaves is looked at."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from documented import steps

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / 'docs' / 'tutorial.md').read_text()


@pytest.fixture(scope='module')
def carried_out(tmp_path_factory):
    """Follow the tutorial in an empty folder with the repository's tools; several seeds and processes are left out."""
    import subprocess

    folder = tmp_path_factory.mktemp('tutorial')
    (folder / 'tools').symlink_to(ROOT / 'tools')
    defaults = dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
    printed = {}
    for step in steps(DOC):
        if re.match(r'# \S+\.py\n', step):
            (folder / step.split()[1]).write_text(step)
        elif step.startswith('python ') and 'compare.py' not in step:
            done = subprocess.run(
                [sys.executable, *step.split()[1:]],
                cwd=folder,
                env={**os.environ, **defaults},
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert done.returncode == 0, f'{step}: {done.stderr[-2000:]}'
            printed[step.split()[1]] = done.stdout
    return folder, printed


def test_it_learns_and_draws(carried_out):
    folder, printed = carried_out
    accuracy = float(re.findall(r'accuracy/top1: ([\d.]+)', printed['tools/test.py'])[-1])
    assert accuracy > 60
    assert (folder / 'work_dirs/digits_pod/geometry/geometry.json').is_file()
    assert "'mmpod.PEDCCHead'" in (folder / 'digits_pod.py').read_text()


def test_python_and_onnx_agree(carried_out):
    """The class that the inferencer names is the folder of the label that ONNX Runtime gives."""
    folder, printed = carried_out
    name = re.findall(r'digit\d', printed['classify.py'])[-1]
    label = int(re.search(r'\[(\d+)\]', printed['serve.py'])[1])
    classes = sorted(path.name for path in (folder / 'data/digits/train').iterdir())
    assert classes[label] == name
    sidecar = json.loads(next((folder / 'work_dirs').glob('digits_pod*.json')).read_text())
    assert sidecar


def test_the_other_commands_name_what_exists():
    for step in steps(DOC):
        if step.startswith(('python tools/', 'bash tools/')):
            assert (ROOT / step.split()[1]).is_file()

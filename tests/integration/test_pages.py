"""The commands and Python code of README.md, docs/*.md and the notebook work: `run_page.py` executes them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from page_commands import APPEND, FAST, FILL_IN, SKIP
from rehearsal import write_datasets
from run_page import blocks, changed, commands, entry

ROOT = Path(__file__).resolve().parents[2]
FILES = [*(ROOT / 'docs').rglob('*.md'), *(ROOT / 'docs').rglob('*.ipynb')]
PAGES = ['README.md', *sorted(str(path.relative_to(ROOT)) for path in FILES)]
PAGES = [page for page in PAGES if blocks(page, (ROOT / page).read_text())]
LEFT_OUT = ['.*', 'work_dirs', 'data', 'build', 'site', 'tests', '*.egg-info', '__pycache__']
# Slurm's, for one process without a GPU.
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
exec "${@/#slurm/none}"
"""


def code_of(page):
    return blocks(page, (ROOT / page).read_text())


@pytest.fixture(scope='module')
def datasets(tmp_path_factory):
    folder = tmp_path_factory.mktemp('datasets')
    return folder, write_datasets(folder)


@pytest.mark.parametrize('page', [pytest.param(page, marks=[pytest.mark.slow] * (page not in FAST)) for page in PAGES])
def test_page_is_executed(page, datasets, tmp_path, run_command):
    clone, bin_folder = tmp_path / 'clone', tmp_path / 'bin'
    shutil.copytree(ROOT, clone, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (clone / 'data').symlink_to(datasets[0])
    bin_folder.mkdir()
    (bin_folder / 'srun').write_text(SRUN)
    (bin_folder / 'srun').chmod(0o755)
    path = os.pathsep.join([str(Path(sys.executable).parent), str(bin_folder), os.environ['PATH']])
    run_page = Path(__file__).parent / 'run_page.py'
    variables = dict(datasets[1], PYTHONPATH=str(clone), PATH=path)
    run_command(sys.executable, run_page, page, cwd=clone, env=variables, timeout=1800)


@pytest.mark.parametrize('page', PAGES)
def test_blocks_can_be_parsed_and_name_files_that_exist(page):
    for language, code in code_of(page):
        if language == 'python':
            compile(code, page, 'exec')
        else:
            subprocess.run(['bash', '-n', '-c', code], check=True)
        for path in re.findall(r'(?<![\w/])(?:benchmarks|configs|tools)/[\w/.-]*\w', code):
            assert (ROOT / path).exists(), path


NEEDED = {
    'demo': r'_digits|SklearnDigits',
    'experiments': r'tools/(compare|tune|experiments|plot_geometry)\.py|benchmarks/many_classes',
    'export': r'tools/export\.py|onnxruntime',
    'tools': r'vis_cam',
}


@pytest.mark.parametrize('page', [page for page in PAGES if page.count('/') < 2 and page.endswith('.md')])
def test_pages_name_the_extras_of_their_commands(page):
    code = ''.join(code for _, code in code_of(page))
    installed = ','.join(re.findall(r"pip install -e '\.\[(.*?)\]'", (ROOT / page).read_text())).split(',')
    for extra, command in NEEDED.items():
        assert not re.search(command, code) or {extra, 'tests'} & {*installed}, extra


def test_each_entry_of_the_tables_is_used():
    everything = [
        (page, command)
        for page in PAGES
        for kind, code in code_of(page)
        if kind == 'bash'
        for command in commands(code)
    ]
    for table in (APPEND, SKIP):
        used = {entry(table, page, command)[0] for page, command in everything}
        assert used >= table.keys()
    for page, words in FILL_IN.items():
        assert all(word in (ROOT / page).read_text() for word in words)
    assert set(PAGES) >= FAST


def test_commands_are_changed_as_the_tables_say():
    assert changed('README.md', 'pip install .  # all') == '# skipped: pip install .  # all'
    command = changed('docs/any.md', 'bash tools/dist_train.sh configs/a.py 8  # eight')
    assert command.split() == 'bash tools/dist_train.sh configs/a.py 8 --cfg-options train_cfg.max_epochs=1'.split()
    assert changed('docs/any.md', 'python any.py') == 'python any.py'


def test_the_notebook_shows_a_whole_run():
    cells = json.loads((ROOT / 'docs/photographs.ipynb').read_text())['cells']
    code = [cell for cell in cells if cell['cell_type'] == 'code']
    outputs = [output for cell in code for output in cell['outputs']]
    assert outputs, 'Execute the notebook: requirements/docs.txt says how.'
    assert [cell['execution_count'] for cell in code] == list(range(1, len(code) + 1))
    assert not any(output['output_type'] == 'error' or output.get('name') == 'stderr' for output in outputs)
    assert sum('image/png' in output.get('data', {}) for output in outputs) == 4
    printed = ''.join(line for output in outputs for line in output.get('text', []))
    assert 'Best by accuracy/top1' in printed and 'open_set/max_cosine_auroc' in printed
    assert not re.search(r'(?<![\w.])/\w+/', printed)  # a path of the machine that it ran on


@pytest.mark.parametrize('page', ['README.md', 'CONTRIBUTING.md'])
def test_links_outside_of_the_site_lead_somewhere(page):
    for target in re.findall(r'\]\((?!http|#)([^)#]+)', (ROOT / page).read_text()):
        assert (ROOT / target).is_file(), target

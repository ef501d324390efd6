"""The tables of docs/results.md that are written by hand, and the generated ones, say what the recorded runs say."""

import re
import shutil
from pathlib import Path

import pytest

from mmpod.experiments.records import read_results
from mmpod.experiments.report import write_report
from mmpod.experiments.tables import FIGURES, TABLES

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / 'docs' / 'generated'
PAGE = (ROOT / 'docs/results.md').read_text()
TRIALS = {
    'Softmax': 'softmax',
    'POD Loss': 'pod',
    'with batch norm': 'pod_bn',
    "VICReg's term": 'pod_vicreg',
    "VICReg's term and batch norm": 'pod_vicreg_bn',
}


@pytest.fixture(scope='module')
def records():
    return read_results(ROOT / 'results')


def table(first_cell):
    """Return the table whose header begins so: the cells, row by row, with the header."""
    (found,) = re.findall(rf'^\| {re.escape(first_cell)} \|.*\n(?:\|.*\n)+', PAGE, re.M)
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in found.splitlines() if '---' not in line]


def trials(records):
    return {
        key.partition('/')[2]: f'{runs[0].metrics["accuracy/top1"]:.2f}'
        for key, runs in records.items()
        if key.startswith('small_recipe_tuning/')
    }


def test_generated_tables_are_those_of_the_records(records, tmp_path):
    written = write_report(tmp_path, records, list(TABLES), [])
    for path in written:
        assert path.read_text() == (GENERATED / path.name).read_text(), 'Repeat: python tools/experiments.py report'
    figures = {path.stem for path in GENERATED.glob('*.png')}
    drawn = {
        name for name, figure in FIGURES.items() if not figure.cells or any(c.runs in records for c in figure.cells)
    }
    assert {path.name for path in GENERATED.glob('*.md')} == {path.name for path in written if path.suffix == '.md'}
    assert figures == drawn


def test_pages_include_tables_and_figures_that_exist():
    for page in (ROOT / 'docs').glob('*.md'):
        text = page.read_text()
        for name in re.findall(r'--8<-- "(.*?)"', text):
            assert (ROOT / name).is_file(), (page.name, name)
        for name in re.findall(r'\]\((generated/\S+?)\)', text):
            assert (ROOT / 'docs' / name).is_file(), (page.name, name)
    assert PAGE.count('--8<--') > 20


def test_results_are_few_files():
    files = [path for path in (ROOT / 'results').rglob('*') if path.is_file()]
    assert len(files) <= 60 and sum(path.stat().st_size for path in files) < 3e6


def test_the_table_of_the_readme_is_the_generated_one():
    shown = re.findall(r'(?:^\|.*\n)+', (ROOT / 'README.md').read_text(), re.M)
    assert (GENERATED / 'small_tuned.md').read_text().partition('\n\n')[0] + '\n' in shown


def test_trials_of_the_recipe(records):
    header, *rows = table('rate, loss weight, weight decay')
    shown = {}
    for settings, *cells in rows:
        point = 'lr={},loss_weight={},weight_decay={}'.format(*settings.split(', '))
        for column, cell in zip(header[1:], cells):
            if cell != '-':
                shown[f'{TRIALS[column]},{point}'] = cell.strip('*')
    made = trials(records)
    assert shown == {name: made[name] for name in made if name.partition(',')[0] in TRIALS.values()}


def test_more_trials_of_the_recipe(records):
    _, *rows = table('rate, weight decay, lambda')
    shown = {}
    for settings, cell in rows:
        point = 'lr={},loss_weight=2,weight_decay={},sc_weight={}'.format(*settings.split(', '))
        shown[point + ', smoothed' * ('label smoothing' in settings)] = cell.split()[0].strip('*')
    made = trials(records)
    best = 'lr=0.2,loss_weight=2,weight_decay=5e-4'
    expected = {name.partition(',')[2]: value for name, value in made.items() if name.startswith('pod_bn_more,')}
    expected[f'{best},sc_weight=1'] = made[f'pod_bn,{best}']
    expected[f'{best},sc_weight=1, smoothed'] = made['pod_bn_smoothed,lr=0.2,label_smooth_val=0.1']
    assert shown == expected


def test_no_trial_of_the_recipe_is_left_out(records):
    section = PAGE[PAGE.index('## A recipe for POD Loss') : PAGE.index('## Speed')]
    made = trials(records)
    assert len(made) > 50 and not [name for name, value in made.items() if value not in section]


def test_a_clone_without_the_figures_gets_them_from_the_records(tmp_path, run_command):
    """The report needs nothing but the files of JSON."""
    shutil.copytree(ROOT / 'results', tmp_path / 'results')
    tool = [ROOT / 'tools/experiments.py', 'report', 'small_tuned', 'fig6_small']
    printed = run_command('python', *tool, '--results', tmp_path / 'results', '--out', tmp_path / 'out').stdout
    assert (GENERATED / 'small_tuned.md').read_text() in printed
    assert (tmp_path / 'out' / 'fig6_small.png').stat().st_size > 10_000

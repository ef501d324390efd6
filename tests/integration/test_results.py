"""The generated tables and figures are those of the recorded runs, and pages include what there is."""

import re
from pathlib import Path

import pytest

from mmpod.experiments.records import read_results
from mmpod.experiments.report import write_report
from mmpod.experiments.tables import FIGURES, TABLES

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / 'docs' / 'generated'


@pytest.fixture(scope='module')
def records():
    return read_results(ROOT / 'results')


def test_generated_tables_are_those_of_the_records(records, tmp_path):
    written = write_report(tmp_path, records, list(TABLES))
    for path in written:
        assert path.read_text() == (GENERATED / path.name).read_text(), 'Repeat: python tools/experiments.py report'
    figures = {path.stem for path in GENERATED.glob('*.png')}
    drawn = {
        name for name, figure in FIGURES.items() if not figure.cells or any(c.runs in records for c in figure.cells)
    }
    others = {'convert.md'}  # of benchmarks/convert_sweep.py
    assert {path.name for path in GENERATED.glob('*.md')} - others == {p.name for p in written if p.suffix == '.md'}
    assert figures == drawn


def test_pages_include_tables_and_figures_that_exist():
    for page in (ROOT / 'docs').rglob('*.md'):
        text = page.read_text()
        for name in re.findall(r'--8<-- "([^":]*)', text):
            assert (ROOT / name).is_file() or (ROOT / 'results' / name).is_file(), (page.name, name)
        for name in re.findall(r'\]\(((?:\.\./)?generated/\S+?)\)', text):
            assert (page.parent / name).is_file(), (page.name, name)


def test_results_are_few_files():
    files = [path for path in (ROOT / 'results').rglob('*') if path.is_file()]
    assert len(files) <= 60 and sum(path.stat().st_size for path in files) < 3e6

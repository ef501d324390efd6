"""The generated tables and figures are those of the recorded runs, and pages include what there is."""

import csv
import re
import runpy

import pytest
from helpers import ROOT, table_rows

from mmpod.experiments.records import read_results
from mmpod.experiments.report import write_report
from mmpod.experiments.studies.tables import FIGURES, TABLES

GENERATED = ROOT / 'docs' / 'generated'


@pytest.fixture(scope='module')
def records():
    return read_results(ROOT / 'results')


def test_generated_tables_are_those_of_the_records(records, tmp_path):
    written = write_report(tmp_path, records, list(TABLES))
    for path in written:
        assert path.read_text() == (GENERATED / path.name).read_text(), 'Repeat: python tools/experiments.py report'
    figures = {path.stem for path in GENERATED.glob('*.png')}
    drawn = {name for name, figure in FIGURES.items() if any(cell.runs in records for cell in figure.cells)}
    others = {'convert.md'}  # of benchmarks/convert_sweep.py
    assert {path.name for path in GENERATED.glob('*.md')} - others == {p.name for p in written if p.suffix == '.md'}
    assert figures == drawn


def test_pages_include_tables_and_figures_that_exist():
    for page in (ROOT / 'docs').rglob('*.md'):
        text = page.read_text()
        for name in re.findall(r'--8<-- "([^":]*)', text):
            assert (ROOT / name).is_file() or (ROOT / 'results' / name).is_file(), (page.name, name)
        for name in re.findall(r'\]\(((?:\.\./)?(?:generated|figures)/\S+?)\)', text):
            assert (page.parent / name).is_file(), (page.name, name)


def test_results_are_few_files():
    files = [path for path in (ROOT / 'results').rglob('*') if path.is_file()]
    assert len(files) <= 60 and sum(path.stat().st_size for path in files) < 3e6


def test_the_table_of_conversions_is_that_of_the_record():
    table = runpy.run_path(str(ROOT / 'benchmarks/convert_table.py'))['tables']
    with (ROOT / 'results/benchmarks/convert_sweep.csv').open() as file:
        text = table(list(csv.DictReader(file)))
    assert text == (ROOT / 'docs/generated/convert.md').read_text()
    assert '--8<-- "docs/generated/convert.md"' in (ROOT / 'docs/convert_table.md').read_text()
    assert '--8<-- "docs/generated/convert.md:1:1"' in (ROOT / 'docs/convert.md').read_text()
    assert re.match(r'.*\*\*\d+ of \d+\*\* single-label configs convert.*\n\n', text)  # the first line: the totals


def test_readme_shows_the_generated_table_and_the_recorded_demo():
    readme = (ROOT / 'README.md').read_text()
    generated = table_rows((ROOT / 'docs/generated/overview.md').read_text())
    (start,) = (number for number, row in enumerate(table_rows(readme)) if row == generated[0])
    assert table_rows(readme)[start + 2 : start + len(generated)] == generated[2:]  # the second row has the dashes
    recorded = (ROOT / 'results/benchmarks/demo.txt').read_text().splitlines()
    (shown,) = re.findall(r'```text\n([\s\S]*?)```', readme)
    assert set(shown.splitlines()) <= {*recorded, ''}


@pytest.mark.parametrize('page', ['tutorial', 'compare'])
def test_pages_show_the_recorded_tables(page):
    recorded = (ROOT / 'results/benchmarks/digits_pages.txt').read_text().splitlines()
    shown = re.findall(r'```text\n([\s\S]*?)```', (ROOT / f'docs/{page}.md').read_text())
    tables = [block for block in shown if block.startswith('| ')]
    assert tables
    for line in ''.join(tables).splitlines():
        assert any(row.startswith(line) for row in recorded), line  # a page may leave out the last columns


def test_means_in_the_results_are_in_generated_tables():
    generated = ' '.join(path.read_text() for path in (ROOT / 'docs/generated').glob('*.md'))
    for path in [ROOT / 'docs/results.md', *(ROOT / 'docs/results').glob('*.md')]:
        for number in re.findall(r'\d\d\.\d\d ± \d+\.\d\d', path.read_text()):
            assert number in generated, f'{path}: {number}'

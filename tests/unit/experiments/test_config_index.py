"""`configs/README.md`, for readers, and `configs/metafile.yml`, for MIM and mmpretrain, follow the configs."""

import ast
import json

import yaml

from mmpod.experiments.studies.catalogue import setting_of
from mmpod.experiments.studies.definitions import DATASETS
from mmpod.experiments.studies.paper import PAPER_TABLES
from mmpod.version import __version__


def test_the_readme_lists_every_config_with_the_numbers_of_the_paper(root):
    numbers = {}
    for name, table in PAPER_TABLES.items():
        for cell in table.cells:
            number = f'{name}: {cell.paper:g}' + ('e-8' if name == 'IV' else '')
            numbers.setdefault(f'{setting_of(cell.runs).config}.py', []).append(number)
    rows = []
    for path in sorted([*root.glob('configs/*.py'), *root.glob('configs/small/*.py')]):
        config = path.relative_to(root / 'configs').as_posix()
        opening = ' '.join(ast.get_docstring(ast.parse(path.read_text())).split('\n\n')[0].split())
        cells = [f'[{path.stem}]({config})', opening.partition(';')[0].partition(': Table')[0]]
        cells += [] if 'small/' in config else [', '.join(numbers.get(config, '-'))]
        rows.append(f'| {" | ".join(cells)} |')
    listed = [line for line in (root / 'configs/README.md').read_text().splitlines() if line.startswith('| [')]
    assert not (missing := [row for row in rows if row not in listed]), 'Add these rows:\n' + '\n'.join(missing)
    assert len(listed) == len(rows)
    assert '94.31, IV: 1.53e-8' in ''.join(listed)


def test_the_metafile_lists_the_resnet50_configs_and_the_digits(root):
    index = yaml.safe_load((root / 'configs/metafile.yml').read_text())
    models, names = [], {**DATASETS, 'digits': 'Digits'}
    for path in [*root.glob('configs/*.py'), *root.glob('configs/small/*_digits.py')]:
        (dataset,) = (name for key, name in names.items() if f'_{key}_' in f'{path.stem}_')
        result = {'Dataset': dataset, 'Task': 'Image Classification'}
        model = {'Name': path.stem.replace('_digits', '_resnet18w8_digits'), 'Metadata': {'Training Data': dataset}}
        model |= {'In Collection': 'POD', 'Results': [result], 'Config': path.relative_to(root).as_posix()}
        if path.with_suffix('.json').is_file():  # the record of shipped weights
            result['Metrics'] = {'Top 1 Accuracy': json.loads(path.with_suffix('.json').read_text())['top1']}
            model['Weights'] = path.with_suffix('.pth').relative_to(root).as_posix()
        models.append(model)
    missing = [model for model in models if model not in index['Models']]
    assert not missing, 'Add these models:\n' + yaml.safe_dump(missing, sort_keys=False)
    assert len(index['Models']) == len(models)
    assert [model['Name'] for model in index['Models'] if 'Weights' in model] == ['pod_resnet18w8_digits']
    assert [(one['Name'], one['Code']['Version']) for one in index['Collections']] == [('POD', f'v{__version__}')]

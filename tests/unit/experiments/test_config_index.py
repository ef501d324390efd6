"""The index names the ResNet-50 configs and the digits, and no number that was not measured."""

import yaml
from mmpretrain.apis import list_models

from mmpod.experiments.config_index import configs_readme, metafile
from mmpod.experiments.records import Record, by_setting, read_results


def test_committed_indices_are_the_generated_ones(root):
    records = read_results(root / 'results')
    for name, make in (('README.md', configs_readme), ('metafile.yml', metafile)):
        text = (root / 'configs' / name).read_text()
        assert text == make(root / 'configs', records), 'Repeat: python tools/experiments.py report'


def test_the_hub_lists_the_paper_and_the_digits_only(root):
    (imported,) = yaml.safe_load((root / 'model-index.yml').read_text())['Import']
    models = yaml.safe_load((root / imported).read_text())['Models']
    flat = {path.stem for path in (root / 'configs').glob('*.py')}
    digits = {f'{loss}_resnet18w8_digits' for loss in ('pod', 'softmax', 'gda')}
    assert {model['Name'] for model in models} == flat | digits and len(models) == len(flat) + 3
    assert all((root / model['Config']).is_file() for model in models)
    ours = {name for name in list_models() if name in flat | digits or '10k' in name or 'tiny20' in name}
    assert ours == flat | digits


def record(setting, seed, accuracy, **changes):
    study, name = setting.split('/')
    fields = dict(config=name, overrides=[], versions={}, device='', commands=[], date=None, wall_s=1.0, curves={})
    return Record(study, name, seed=seed, **{**fields, 'metrics': {'accuracy/top1': accuracy}, 'config_hash': None})


def test_an_accuracy_is_the_mean_over_the_seeds_at_the_full_budget(root):
    pod = 'pod_resnet50_cifar10'
    records = [record(f'paper/{pod}', 0, 20.0), record(f'paper/{pod}', 1, 21.0), record('gpu/pod', 0, 85.0)]
    records += [record('gpu/softmax', 0, 86.0), record('lambda/sc_weight=0.01', 0, 99.0)]
    found = by_setting(records)
    models = {model['Name']: model for model in yaml.safe_load(metafile(root / 'configs', found))['Models']}
    assert models[pod]['Results'] == [
        {'Dataset': 'CIFAR-10', 'Task': 'Image Classification', 'Metrics': {'Top 1 Accuracy': 20.5}}
    ]
    assert 'Metrics' not in models['softmax_resnet50_cifar10']['Results'][0]
    page = configs_readme(root / 'configs', found)
    (line,) = [line for line in page.splitlines() if f'({pod}.py)' in line]
    assert 'I: 94.31, IV: 1.53e-8' in line and '20.50 ± 0.71 (paper), 85.00 (gpu)' in line and '99' not in line

"""The index names every config, and no number that was not measured."""

import json
import re

import yaml

from mmpod.experiments.metafile import metafile


def test_committed_index_is_the_generated_one(root):
    text = metafile(root / 'configs', root / 'results')
    assert (root / 'configs' / 'metafile.yml').read_text() == text, (
        'Repeat: python tools/experiments.py list --metafile > configs/metafile.yml'
    )


def test_every_config_once_and_measured_numbers_only(root):
    imported = yaml.safe_load((root / 'model-index.yml').read_text())['Import']
    assert imported == ['configs/metafile.yml']
    index = yaml.safe_load((root / imported[0]).read_text())
    assert [model['Config'] for model in index['Models']] == sorted(
        f'configs/{path.name}' for path in (root / 'configs').glob('*.py')
    )
    documented = set(re.findall(r'\d+\.\d+', (root / 'docs' / 'results.md').read_text()))
    for model in index['Models']:
        assert model['Config'] == f'configs/{model["Name"]}.py'
        assert model['In Collection'] == index['Collections'][0]['Name']
        (result,) = model['Results']
        assert result['Dataset'] == model['Metadata']['Training Data']
        if 'Metrics' in result:
            value = result['Metrics']['Top 1 Accuracy']
            assert documented & {f'{value:.2f}', f'{value:.1f}'}, model['Name']


def test_accuracy_is_the_mean_of_the_folder_with_most_finished_seeds(tmp_path):
    (tmp_path / 'configs').mkdir()
    for name in ('pod_resnet50_cifar10', 'cosine_resnet50_cifar10'):
        (tmp_path / 'configs' / f'{name}.py').touch()
    runs = tmp_path / 'results'
    write_run(runs / 'one' / 'pod_resnet50_cifar10' / 'seed0', 99.0)
    write_run(runs / 'two' / 'pod_resnet50_cifar10' / 'seed0', 20.0)
    write_run(runs / 'two' / 'pod_resnet50_cifar10' / 'seed1', 21.0)
    write_run(runs / 'two' / 'pod_resnet50_cifar10' / 'seed2', 70.0, finished=False)
    write_run(runs / 'two' / 'cosine_resnet50_cifar10' / 'seed0', 70.0, options=['train_cfg.max_epochs=1'])
    cosine, pod = yaml.safe_load(metafile(tmp_path / 'configs', runs))['Models']
    assert pod['Results'] == [
        {'Dataset': 'CIFAR-10', 'Task': 'Image Classification', 'Metrics': {'Top 1 Accuracy': 20.5}}
    ]
    assert cosine['Results'] == [{'Dataset': 'CIFAR-10', 'Task': 'Image Classification'}]


def write_run(folder, accuracy, **record):
    folder.mkdir(parents=True)
    (folder / 'run.json').write_text(json.dumps(dict(dict(finished=True), **record)))
    (folder / 'metrics.json').write_text(json.dumps({'accuracy/top1': accuracy}))

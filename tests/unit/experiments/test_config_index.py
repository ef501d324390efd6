"""The index names the ResNet-50 configs and the digits, with the numbers of the paper and of shipped weights."""

import yaml

from mmpod.experiments.config_index import configs_readme, metafile


def test_committed_indices_are_the_generated_ones(root):
    for name, make in (('README.md', configs_readme), ('metafile.yml', metafile)):
        text = (root / 'configs' / name).read_text()
        assert text == make(root / 'configs'), 'Repeat: python tools/experiments.py report'


def test_the_paper_is_cited_and_only_shipped_weights_have_an_accuracy(root):
    page = configs_readme(root / 'configs')
    (line,) = [line for line in page.splitlines() if '(pod_resnet50_cifar10.py)' in line]
    assert 'I: 94.31, IV: 1.53e-8' in line
    models = yaml.safe_load(metafile(root / 'configs'))['Models']
    measured = {model['Name'] for model in models if 'Metrics' in model['Results'][0]}
    assert measured == {model['Name'] for model in models if 'Weights' in model} == {'pod_resnet18w8_digits'}

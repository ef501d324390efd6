"""The table of experiments against the paper's text, the leaves and the documentation."""

import re
from pathlib import Path

import pytest

from mmpod.experiments import datasets
from mmpod.experiments.catalogue import CHECKPOINT_OF, FIGURES, TABLES
from mmpod.experiments.listing import index
from mmpod.experiments.selection import all_configs, select

ROOT = Path(__file__).resolve().parents[3]
LEAVES = {path.stem: path for path in (ROOT / 'configs').glob('*.py')}
PAPER = ROOT.parent / 'shared' / 'paper' / 'pod_loss_arxiv_v1.txt'
ROMAN = ('I', 'II', 'III', 'IV', 'V', 'VI', 'VII')

# Tables I to VII, typed from the paper: row, column, number, and the leaf that the names of SPEC 5 give it.
EXPECTED = {
    'I': """
        9|Accuracy|92.71|pod_resnet50_cifar10_dim9
        32|Accuracy|93.51|pod_resnet50_cifar10_dim32
        64|Accuracy|93.77|pod_resnet50_cifar10_dim64
        128|Accuracy|93.98|pod_resnet50_cifar10_dim128
        256|Accuracy|94.31|pod_resnet50_cifar10
        512|Accuracy|94.25|pod_resnet50_cifar10_dim512
        1024|Accuracy|93.82|pod_resnet50_cifar10_dim1024""",
    'III': """
        Softmax Loss|CIFAR-100|73.80|softmax_resnet50_cifar100
        Softmax Loss|FaceScrub|89.10|softmax_resnet50_facescrub
        AM-Softmax Loss (s = 5, m = 0.25)|CIFAR-100|73.03|amsoftmax_resnet50_cifar100
        AM-Softmax Loss (s = 5, m = 0.25)|FaceScrub|91.67|amsoftmax_resnet50_facescrub
        COT|CIFAR-100|74.03|cot_resnet50_cifar100
        COT|FaceScrub|90.40|cot_resnet50_facescrub
        PEDCC-Loss (s = 10, m = 0.5)|CIFAR-100|75.58|pedccloss_resnet50_cifar100
        PEDCC-Loss (s = 10, m = 0.5)|FaceScrub|90.98|pedccloss_resnet50_facescrub
        Cosine Loss|CIFAR-100|76.23|cosine_resnet50_cifar100
        Cosine Loss|FaceScrub|92.11|cosine_resnet50_facescrub""",
    'IV': """
        Cosine Loss|Variance|1.82|cosine_resnet50_cifar10
        POD Loss|Variance|1.53|pod_resnet50_cifar10""",
    'V': """
        CIFAR-10|Cosine Loss|93.83|cosine_resnet50_cifar10
        CIFAR-10|POD Loss|94.31|pod_resnet50_cifar10
        CIFAR-100|Cosine Loss|76.23|cosine_resnet50_cifar100
        CIFAR-100|POD Loss|77.70|pod_resnet50_cifar100
        Tiny ImageNet|Cosine Loss|62.01|cosine_resnet50_tinyimagenet
        Tiny ImageNet|POD Loss|62.16|pod_resnet50_tinyimagenet
        FaceScrub|Cosine Loss|92.11|cosine_resnet50_facescrub
        FaceScrub|POD Loss|93.01|pod_resnet50_facescrub""",
    'VI': """
        CIFAR-10|Softmax Loss|93.71|softmax_resnet50_cifar10
        CIFAR-10|POD Loss|94.31|pod_resnet50_cifar10
        CIFAR-100|Softmax Loss|75.56|softmax_resnet50_cifar100
        CIFAR-100|POD Loss|77.70|pod_resnet50_cifar100
        Tiny ImageNet|Softmax Loss|60.29|softmax_resnet50_tinyimagenet
        Tiny ImageNet|POD Loss|62.16|pod_resnet50_tinyimagenet
        FaceScrub|Softmax Loss|89.10|softmax_resnet50_facescrub
        FaceScrub|POD Loss|93.01|pod_resnet50_facescrub
        ImageNet(30)|Softmax Loss|79.86|softmax_resnet50_imagenet30
        ImageNet(30)|POD Loss|85.40|pod_resnet50_imagenet30
        ImageNet(100)|Softmax Loss|78.25|softmax_resnet50_imagenet100
        ImageNet(100)|POD Loss|82.06|pod_resnet50_imagenet100
        ImageNet(200)|Softmax Loss|82.06|softmax_resnet50_imagenet200
        ImageNet(200)|POD Loss|83.08|pod_resnet50_imagenet200
        ImageNet(500)|Softmax Loss|82.14|softmax_resnet50_imagenet500
        ImageNet(500)|POD Loss|82.24|pod_resnet50_imagenet500
        ImageNet(1000)|Softmax Loss|75.65|softmax_resnet50_imagenet
        ImageNet(1000)|POD Loss|75.71|pod_resnet50_imagenet""",
    'VII': """
        CIFAR-10|Cosine distance|94.31|pod_resnet50_cifar10
        CIFAR-10|Gaussian discriminant analysis|94.23|gda_resnet50_cifar10
        CIFAR-100|Cosine distance|77.70|pod_resnet50_cifar100
        CIFAR-100|Gaussian discriminant analysis|73.37|gda_resnet50_cifar100
        Tiny ImageNet|Cosine distance|62.16|pod_resnet50_tinyimagenet
        Tiny ImageNet|Gaussian discriminant analysis|50.09|gda_resnet50_tinyimagenet""",
}
TABLE_II = {
    'cifar10': (10, 256),
    'cifar100': (100, 512),
    'facescrub': (100, 512),
    'tinyimagenet': (200, 512),
    'imagenet30': (30, 256),
    'imagenet100': (100, 512),
    'imagenet200': (200, 512),
    'imagenet500': (500, 1024),
    'imagenet': (1000, 2048),
}


@pytest.mark.parametrize('table', EXPECTED)
def test_every_cell_of_the_paper_maps_to_one_config(table):
    expected = [tuple(line.strip().split('|')) for line in EXPECTED[table].strip().splitlines()]
    cells = [(cell.row, cell.column, cell.paper, cell.config) for cell in TABLES[table].cells]
    assert sorted(cells) == sorted((row, column, float(number), config) for row, column, number, config in expected)


def test_table_of_settings():
    cells = {(cell.config, cell.setting): cell.paper for cell in TABLES['II'].cells}
    expected = {}
    for key, (num_classes, dim) in TABLE_II.items():
        expected[f'pod_resnet50_{key}', 'model.head.num_classes'] = num_classes
        expected[f'pod_resnet50_{key}', 'model.head.feat_dim'] = dim
    assert cells == expected


@pytest.mark.skipif(not PAPER.is_file(), reason=f'{PAPER} is not there')
def test_numbers_are_those_of_the_text():
    """Count every number of each table in the paper's text."""
    parts = re.split(r'^TABLE ([IV]+):', PAPER.read_text(), flags=re.M)
    for name, text in zip(parts[1::2], parts[2::2]):
        body = '\n'.join(line for line in text.splitlines() if '\t' in line)
        if name == 'II':
            found = [float(number) for line in body.splitlines()[1:] for number in line.split('\t')[1:]]
        elif name == 'IV':
            found = [float(number) for number in re.findall(r'([\d.]+)e-8', body)]
        elif name == 'I':
            found = [float(line.split('\t')[1]) for line in body.splitlines()[1:]]
        else:
            found = [float(number) for number in re.findall(r'\b\d\d\.\d\d\b', body)]
        assert sorted(found) == sorted(cell.paper for cell in TABLES[name].cells), name


def test_every_leaf_is_an_experiment_and_states_its_numbers():
    assert set(all_configs()) == set(LEAVES)
    for name in ROMAN:
        for cell in TABLES[name].cells:
            if cell.setting is None and name != 'IV':
                opening = LEAVES[cell.config].read_text().split('\n\n')[0]
                assert f'{cell.paper:.2f}' in opening and 'Table' in opening, (name, cell)


def test_figures_show_what_is_in_the_tables():
    for figure in FIGURES.values():
        assert set(figure.configs) <= set(LEAVES)
        assert not figure.table or figure.table in TABLES
    assert set(CHECKPOINT_OF) <= set(LEAVES) and set(CHECKPOINT_OF.values()) <= set(LEAVES)
    assert set(TABLE_II) == set(datasets.PAPER)


def test_documentation_lists_them():
    assert index(select([])) in (ROOT / 'docs' / 'experiments.md').read_text()


def test_selection():
    assert select(['I']).configs == TABLES['I'].configs and list(select(['I']).cells) == ['I']
    assert select(['fig6']).configs == ['softmax_resnet50_cifar100', 'pod_resnet50_cifar100']
    chosen = select(['cot_*', 'fig3'])
    assert {cell.config for cells in chosen.cells.values() for cell in cells} == set(chosen.configs)
    assert all(config.startswith('cot_') for config in chosen.configs) and chosen.figures == ['fig3']
    assert select(['gda_resnet50_cifar10']).configs == ['pod_resnet50_cifar10', 'gda_resnet50_cifar10']
    assert len(select([]).configs) == len(set(select([]).configs)) == len(LEAVES)
    with pytest.raises(ValueError, match="'VIII'.*experiments.py list"):
        select(['VIII'])

"""Every config trains and is tested, unshrunk but for its data."""

import pytest
from helpers import ROOT
from rehearsal import one_step, write_datasets

from mmpod.experiments.studies.definitions import CHECKPOINT_OF

PATHS = {path.stem: path for path in sorted((ROOT / 'configs').rglob('*.py')) if '_base_' not in path.parts}
# Every dataset, stem, head and kind of training among them.
SOME = {
    'pod_digits',
    'softmax_resnet50_tinyimagenet',
    'pod_resnet50_facescrub',
    'pod_resnet50_imagenet',
    'cot_resnet50_cifar100',
    'pod_resnet50_cifar10_released',
    'center_cifar10_10k',
    'gda_cifar10_10k',
    'pod_tiny20_normadaptive',
    'pod_cifar10_10k_bn',
}


@pytest.fixture(scope='module')
def datasets(tmp_path_factory):
    return write_datasets(tmp_path_factory.mktemp('datasets'))


@pytest.mark.parametrize(
    'name', [name if name in SOME else pytest.param(name, marks=pytest.mark.slow) for name in PATHS]
)
def test_config_trains_and_is_tested(name, datasets, tmp_path, monkeypatch):
    for variable, folder in datasets.items():
        monkeypatch.setenv(variable, folder)
    trained = CHECKPOINT_OF.get(name, name)
    metrics = one_step(PATHS[trained], tmp_path / 'trained')
    if trained != name:
        metrics = one_step(PATHS[name], tmp_path / 'evaluated', checkpoint=tmp_path / 'trained' / 'epoch_1.pth')
        assert {'cosine/top1', 'gda/top1'} <= set(metrics)
    else:
        assert 0 <= metrics['accuracy/top1'] <= 100

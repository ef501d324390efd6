"""Estimated cost against operation counts from the literature and by hand."""

import pytest
from mmengine.config import Config

from mmpod.experiments.cost import forward_flops, remaining, training_flops
from mmpod.experiments.datasets import dataset_of
from mmpod.experiments.run import Run
from mmpod.experiments.selection import all_configs, select


def test_resnet50_is_that_of_the_literature(root):
    """4.09 GMAC at 224 pixels (torchvision's table), of which 2.0 million are the classifier's."""
    cfg = Config.fromfile(root / 'configs/softmax_resnet50_imagenet30.py')
    assert forward_flops(cfg, 224) == pytest.approx(2 * 4.087e9, rel=2e-3)


def test_narrow_resnet18_by_hand(root):
    """Convolutions of ResNet-18 for CIFAR with 8, 16, 32, 64 channels at 32, 16, 8, 4 pixels."""
    macs = 27 * 8 * 32**2 + 4 * 9 * 8 * 8 * 32**2
    for width, side in ((16, 16), (32, 8), (64, 4)):
        half = width // 2
        macs += side**2 * (9 * half * width + half * width + 3 * 9 * width * width)
    config = root / 'configs/softmax_resnet18w8_cifar10_10k.py'
    assert forward_flops(Config.fromfile(config), 32) == 2 * macs
    # 15 epochs of 10,000 images there and back, and of 10,000 test images; COT takes each batch twice.
    assert training_flops(config) == 2 * macs * 15 * (3 * 10_000 + 10_000)
    assert training_flops(root / 'configs/cot_resnet18w8_cifar10_10k.py') == 2 * macs * 15 * (6 * 10_000 + 10_000)
    assert training_flops(root / 'configs/gda_resnet18w8_cifar10_10k.py') == 2 * macs * 20_000


def test_what_is_left(root, tmp_path):
    def run_of(config, seed):
        return Run(config, seed, tmp_path / config / str(seed))

    run_of('softmax_resnet18w8_digits', 0).save(dict(finished=True))
    lines = remaining(select(['digits', 'small_40epochs']), run_of, [0, 1], root / 'configs', 1e-6).splitlines()
    configs = ('softmax', 'pod', 'pod', 'gda', 'gda')
    hours = sum(training_flops(root / f'configs/{name}_resnet18w8_digits.py') for name in configs) / 3.6e9
    assert f'| digits | 5 | {hours:.2f} |' in lines and lines[-1].startswith('| all | 11 |')
    # POD Loss itself is in both: its two runs count once.
    both = remaining(select(['I', 'lambda']), run_of, [0, 1], root / 'configs', 1).splitlines()
    assert [line.split(' | ')[1] for line in both[2:]] == ['14', '10', '24']


def test_every_config_has_a_dataset_of_known_size():
    sizes = {config: dataset_of(config)[1:] for config in all_configs()}
    assert sizes['pod_resnet50_cifar10_sc01'] == (50_000, 10_000, 32)
    assert sizes['pod_resnet18w8_cifar10_10k_sc01'] == (10_000, 10_000, 32)
    assert sizes['pod_resnet50_imagenet30'] == (39_000, 1_500, 224)

"""What tools/tune.py says before it trains."""

import runpy

import pytest

HELD_OUT = ['val_dataloader.dataset.split=train', 'val_dataloader.dataset.indices=-297']
DISJOINT = ['val_dataloader.dataset.indices=[0,1]', 'test_dataloader.dataset.indices=[2,3]']


@pytest.mark.parametrize('options, warned', [([], True), (HELD_OUT, False), (HELD_OUT[1:], True), (DISJOINT, False)])
def test_trials_judged_on_the_test_set_are_warned_of(options, warned, root, capsys):
    warn = runpy.run_path(str(root / 'tools/tune.py'))['warn_of_the_test_set']
    warn(root / 'configs/small/pod_digits.py', options)
    assert ('val_dataloader reads the test set' in capsys.readouterr().err) == warned


INDICES, PER_CLASS = 'train_dataloader.dataset.indices=1000', 'train_dataloader.dataset.samples_per_class=60'
CIFAR = ['val_dataloader.dataset.split=train', 'val_dataloader.dataset.samples_per_class=30']


@pytest.mark.parametrize(
    'config, options, warned',
    [
        ('pod_digits', [INDICES, *HELD_OUT], False),
        ('pod_digits', HELD_OUT, True),  # of all that are trained on
        ('pod_digits', [INDICES, HELD_OUT[0], 'val_dataloader.dataset.indices=297'], True),
        ('pod_cifar10_10k', [PER_CLASS, *CIFAR, 'val_dataloader.dataset.skip_per_class=60'], False),
        ('pod_cifar10_10k', [PER_CLASS, *CIFAR, 'val_dataloader.dataset.skip_per_class=50'], True),
        ('pod_cifar10_10k', [PER_CLASS, *CIFAR], True),
    ],
)
def test_trials_judged_on_training_images_are_warned_of(config, options, warned, root, capsys):
    warn = runpy.run_path(str(root / 'tools/tune.py'))['warn_of_the_test_set']
    warn(root / f'configs/small/{config}.py', options)
    assert ('val_dataloader reads images that are trained on' in capsys.readouterr().err) == warned

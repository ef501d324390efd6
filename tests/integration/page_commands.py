"""What `run_page.py` changes: all else in README.md and docs/*.md is executed as it stands.

A command is meant by its page, `*` for all, and a part of its text. The datasets are generated, an image or two per
class, and the variables `CIFAR10_ROOT` and so on point at them.
"""

# What stands for something of the reader's own.
FILL_IN = {
    'README.md': {
        ' CHECKPOINT 8': ' work_dirs/pod_resnet50_cifar100/epoch_1.pth 2',
        'CHECKPOINT': 'work_dirs/pod_resnet50_cifar10/epoch_1.pth',
        'epoch_100': 'epoch_1',
        'cifar100.py 8 ': 'cifar100.py 2 ',
        'FOLDER': 'work_dirs/geometry',
        'WORK_DIR': 'work_dirs/slurm',
        'YOUR_CONFIG': 'my_config',
        'CIFAR10_ROOT=/data/cifar10-images ': '',
    },
    'docs/convert.md': {"'my_config.py'": "'configs/small/softmax_digits.py'"},
    'docs/geometry.md': {
        'CHECKPOINT': 'work_dirs/pod_digits/epoch_1.pth',
        'FOLDER': 'work_dirs/geometry',
        'YOUR_CONFIG': 'configs/small/softmax_digits',
    },
    'docs/tutorial.md': {'epoch_8': 'epoch_1'},
}

ONE_EPOCH = '--cfg-options train_cfg.max_epochs=1'
# Options that make a command small; of several the last counts.
APPEND = {
    ('*', 'tools/train.py configs/'): ONE_EPOCH,
    ('docs/tutorial.md', 'tools/train.py'): ONE_EPOCH,
    ('*', 'tools/train.py pod_resnet18.py'): f'{ONE_EPOCH} train_dataloader.dataset.indices=8 '
    'val_dataloader.dataset.indices=8 train_dataloader.num_workers=0 train_dataloader.persistent_workers=False',
    ('README.md', 'tools/train.py my_config.py'): f'{ONE_EPOCH} train_dataloader.dataset.indices=8 '
    'val_dataloader.dataset.indices=8 train_dataloader.num_workers=0 train_dataloader.persistent_workers=False',
    ('*', 'tools/dist_train.sh configs/'): ONE_EPOCH,
    ('*', 'tools/slurm_train.sh'): ONE_EPOCH,
    ('*', 'tools/compare.py'): f'--seeds 0 {ONE_EPOCH}',
    ('README.md', 'tools/experiments.py run I '): '--rehearse',
    ('docs/robustness.md', 'training_step.py'): '--rounds 2 --size 32 --batch 2',
    ('README.md', 'make demo'): '-o LICENSE STAMP=LICENSE RUN=',  # without installing
}

CHANGES_THE_ENVIRONMENT = 'would change the environment of the tests'
SKIP = {
    ('*', 'pip install'): CHANGES_THE_ENVIRONMENT,
    ('README.md', 'make test'): 'is the suite, of which this is a part',
    ('README.md', 'run --rehearse'): 'takes minutes: test_experiments_tool.py rehearses a selection',
    ('docs/convert.md', 'convert_sweep.py run'): 'takes hours: all configs of mmpretrain',
    ('docs/robustness.md', 'faults.py'): 'takes an hour: test_faults.py does it with two kills',
    ('docs/robustness.md', 'NNODES=2'): 'needs two machines: test_multi_node.py does it with two processes',
}

# In `make test-all` only.
SLOW = ['README.md', 'docs/convert.md', 'docs/geometry.md', 'docs/robustness.md', 'docs/tools.md']

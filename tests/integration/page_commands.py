"""What `run_page.py` changes: all else in README.md, docs/*.md and the notebook is executed as it stands.

A command is meant by its page, `*` for all, and a part of its text. The datasets are generated, an image or two per
class, and the variables `CIFAR10_ROOT` and so on point at them.
"""

# What stands for something of the reader's own.
FILL_IN = {
    'README.md': {'epoch_15': 'epoch_1', 'IMAGE.png': 'docs/figures/front.png'},
    'docs/convert.md': {"'my_config.py'": "'configs/small/softmax_digits.py'"},
    'docs/distributed.md': {
        'cifar100.py 8 --cfg': 'cifar100.py 2 --cfg',
        'amp compile --rounds': 'amp --rounds',  # compiling takes minutes
    },
    'docs/experiments.md': {'epoch_100': 'epoch_1'},
    'docs/geometry.md': {'epoch_15': 'epoch_1', 'YOUR_CONFIG': 'configs/small/softmax_digits'},
    'docs/index.md': {'epoch_15': 'epoch_1'},
    'docs/photographs.ipynb': {
        'epoch_6': 'epoch_1',
        'max_epochs = 6': 'max_epochs = 1',
        "'train', 0, middle, 60": "'train', 0, middle, 6",
    },
    'docs/tutorial.md': {'epoch_16': 'epoch_1'},
}

ONE_EPOCH = '--cfg-options train_cfg.max_epochs=1'
# Options that make a command small; of several the last counts.
APPEND = {
    ('*', 'max_epochs=2'): '',  # digits: small already
    ('docs/many_classes.md', 'many_classes.py'): '--rounds 2',
    ('docs/many_classes.md', 'many_classes_training.py'): '--epochs 2 --per-class 1',
    ('*', 'tools/train.py configs/'): ONE_EPOCH,
    ('docs/contributing.md', 'tools/train.py'): ONE_EPOCH,
    ('docs/tutorial.md', 'tools/train.py'): ONE_EPOCH,
    ('README.md', 'tools/train.py'): ONE_EPOCH,
    ('*', 'tools/train.py pod_resnet18.py'): f'{ONE_EPOCH} train_dataloader.dataset.indices=8 '
    'val_dataloader.dataset.indices=8 train_dataloader.num_workers=0 train_dataloader.persistent_workers=False',
    ('*', 'tools/dist_train.sh configs/'): ONE_EPOCH,
    ('*', 'tools/slurm_train.sh'): ONE_EPOCH,
    ('docs/photographs.ipynb', 'tools/compare.py'): '--seeds 0',
    ('*', 'tools/compare.py'): f'--seeds 0 {ONE_EPOCH}',
    ('docs/compare.md', 'val_dataloader.dataset.indices=-297'): 'train_cfg.max_epochs=1',  # of --cfg-options
    ('*', 'training_step.py'): '--rounds 2 --size 32 --batch 2',
    ('README.md', 'make demo'): '-o LICENSE STAMP=LICENSE RUN= SEEDS=0',  # without installing
}

CHANGES_THE_ENVIRONMENT = 'would change the environment of the tests'
SKIP = {
    ('*', 'pip install'): CHANGES_THE_ENVIRONMENT,
    ('*', 'git clone'): 'needs the network',
    ('README.md', 'python3 -m venv'): CHANGES_THE_ENVIRONMENT,
    ('docs/contributing.md', 'make lint'): 'is the suite, of which this is a part',
    ('docs/geometry.md', 'digits_geometry/'): 'reads runs of a study, which are skipped too',
    ('*', 'experiments.py run'): 'takes hours: test_rehearsal.py runs every config at toy scale',
    ('docs/experiments.md', 'experiments.py pack'): 'needs the runs, which are skipped too',
    ('docs/convert_table.md', 'convert_sweep.py run'): 'takes hours: all configs of mmpretrain',
    ('docs/distributed.md', 'kill_and_resume.py'): 'takes an hour: test_kill_and_resume.py does it with two kills',
    ('docs/distributed.md', 'NNODES=2'): 'needs two machines: test_multi_node.py does it with two processes',
}

# All other pages are executed by `make test-all` only.
RESULTS = 'budget convergence dimension features gda gpu lambda recipe setup small tiny when'.split()
FAST = {'docs/install.md', *(f'docs/results/{name}.md' for name in RESULTS)}

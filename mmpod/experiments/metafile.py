"""The index of the configs in the form that MIM and mmpretrain read, with the accuracies measured so far."""

from pathlib import Path
from typing import Optional

import yaml

from mmpod.experiments.datasets import dataset_of
from mmpod.experiments.run import Run
from mmpod.version import __version__

__all__ = ['metafile']

HEADER = '# Generated: python tools/experiments.py list --metafile > configs/metafile.yml\n'
COLLECTION = {
    'Name': 'POD',
    'Metadata': {'Architecture': ['ResNet']},
    'Paper': {
        'Title': 'A Softmax-free Loss Function Based on Predefined Optimal-distribution of Latent Features for CNN '
        'Classifier',
        'URL': 'https://arxiv.org/abs/2111.15449v1',
    },
    'README': 'README.md',
    'Code': {'Version': f'v{__version__}'},
}


def metafile(configs: Path, results: Path) -> str:
    """Return one entry for each leaf config, as YAML.

    Args:
        configs: Folder of the leaves.
        results: Folder of folders of runs, ``<any>/<config>/seed<n>``. An accuracy is the mean over the seeds after the
            last epoch, of that folder which has most of them; runs that departed from the config do not count.
    """
    models = []
    for name in sorted(path.stem for path in configs.glob('*.py')):
        dataset, accuracy = dataset_of(name).name, _accuracy(name, results)
        result = {'Dataset': dataset, 'Task': 'Image Classification'}
        if accuracy is not None:
            result['Metrics'] = {'Top 1 Accuracy': accuracy}
        models.append(
            {
                'Name': name,
                'Metadata': {'Training Data': dataset},
                'In Collection': COLLECTION['Name'],
                'Results': [result],
                'Config': f'configs/{name}.py',
            }
        )
    index = {'Collections': [COLLECTION], 'Models': models}
    return HEADER + yaml.safe_dump(index, sort_keys=False, width=120)


def _accuracy(name: str, results: Path) -> Optional[float]:
    best = []
    for folder in sorted(results.glob(f'*/{name}')):
        runs = [Run(name, 0, path.parent) for path in sorted(folder.glob('seed*/run.json'))]
        values = [run.final() for run in runs if run.record.get('finished') and not run.record.get('options')]
        best = max(best, values, key=len)
    return round(sum(best) / len(best), 2) if best else None

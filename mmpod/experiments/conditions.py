"""What differs between runs besides what they compare."""

from collections.abc import Sequence
from typing import Any

from mmpod.experiments.run_files import Run
from mmpod.utils.config_differences import variations
from mmpod.utils.config_parts import classes_named

__all__ = ['unequal_conditions']

CONDITIONS = (
    *('train_cfg', 'train_dataloader', 'data_preprocessor', 'load_from', 'default_hooks', 'custom_hooks', 'fast'),
    *('auto_scale_lr', 'val_evaluator'),
)


def unequal_conditions(runs: Sequence[Run]) -> str:
    """Return a sentence about what differs between runs besides what they compare and their seeds; empty if nothing."""
    training, common = [], []
    for run in runs:
        record, tested = run.record, (run.work_dir / 'metrics.json').is_file()  # written by a test
        settings = _with_full_types(record.get('config', {}))
        loader = settings.get('test_dataloader' if tested else 'val_dataloader') or {}
        common.append({'evaluation': loader.get('dataset'), 'versions': record.get('versions', {})})
        if not tested:
            same = {name: value for name, value in settings.items() if name in CONDITIONS and value}
            last = max((epoch for curve in run.curves().values() for epoch in curve), default=None)
            training.append(
                {**same, **_of_model(settings), 'last epoch': last, 'processes': record.get('processes', 1)}
            )
    varied = ', '.join(filter(None, (variations(training), variations(common))))
    return varied and f'The runs differ not only in model, optimizer and schedule, but also in {varied}.'


def _of_model(settings: dict) -> dict:
    """Return what a model's config says of the data and of the initial weights: mixed images and pretrained parts."""
    model = settings.get('model') or {}
    found = {'model.train_cfg': model.get('train_cfg'), 'model.init_cfg': model.get('init_cfg')}
    found['model.backbone.init_cfg'] = (model.get('backbone') or {}).get('init_cfg')
    return {name: value for name, value in found.items() if value}


def _with_full_types(settings: Any) -> Any:
    """Return settings whose types are package and class: configs can name one class in several ways."""
    if isinstance(settings, list):
        return [_with_full_types(item) for item in settings]
    if not isinstance(settings, dict):
        return settings
    full = {key: _with_full_types(value) for key, value in settings.items()}
    for kind in classes_named(full['type']) if isinstance(full.get('type'), str) else ():
        full['type'] = f'{kind.__module__.partition(".")[0]}.{kind.__qualname__}'
    return full

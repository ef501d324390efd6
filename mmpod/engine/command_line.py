"""Read configs with their `--cfg-options`, and apply the arguments of `tools/train.py` and `tools/test.py` to them."""

import copy
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

from mmengine.config import Config, ConfigDict, DictAction

from mmpod.engine.config_keys import check_known_keys, check_option, require_sections
from mmpod.utils.config_parts import loaders_of, preprocessor_of
from mmpod.utils.errors import UserError

__all__ = ['apply_options', 'evaluation_config', 'parse_options', 'read_config', 'training_config']


def read_config(path: Union[str, Path], options: Sequence[str] = (), sections: Sequence[str] = ()) -> Config:
    """Return the content of a config file.

    Args:
        path: The file.
        options: `--cfg-options`, see :func:`apply_options`.
        sections: Top-level keys that the config must have.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: MMEngine cannot load it, an option is refused, or a section is missing.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'Expected the config `{Path(path).absolute()}` to be a file, but it does not exist.')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config can raise anything
        raise UserError(
            f'Expected `{Path(path).absolute()}` to load as a config, but got {type(error).__name__}: {error}'
        ) from error
    apply_options(cfg, options)
    require_sections(cfg, *sections)
    return cfg


def parse_options(options: Sequence[str]) -> dict[str, Any]:
    """Return the values of `--cfg-options` by dotted key.

    Raises:
        UserError: One of them is not of the form `key=value`.

    Example:
        >>> parse_options(['optim_wrapper.optimizer.lr=0.3', 'param_scheduler.milestones=[6,9]'])
        {'optim_wrapper.optimizer.lr': 0.3, 'param_scheduler.milestones': [6, 9]}
    """
    for option in options:
        if option.find('=') < 1 or option.startswith('-'):
            raise UserError(f'Expected --cfg-options to be KEY=VALUE, but got {option!r}.')
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    try:
        return parser.parse_args(['--cfg-options', *options]).cfg_options
    except AssertionError as error:  # brackets
        raise UserError(f'Expected --cfg-options with values that can be read, but got: {error}') from error


def apply_options(cfg: Config, options: Sequence[str]) -> None:
    """Apply `--cfg-options` to a config.

    Raises:
        UserError: An option does not fit the config, see :func:`check_option`, or the config has a misspelt key.
    """
    changes = parse_options(options)
    for key, value in changes.items():
        check_option(cfg, key, value)
    try:
        cfg.merge_from_dict(changes)
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(f'Expected --cfg-options to fit the config, but got: {error}') from error
    check_known_keys(cfg)


def training_config(args: Namespace) -> Config:
    """Return the config of a training run from the arguments of `tools/train.py`."""
    cfg = read_config(args.config, args.cfg_options, ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper'))
    _set_common(cfg, args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.resume is not None:
        cfg.resume = 'auto' if args.resume == 'auto' else True
        cfg.load_from = cfg.get('load_from') if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr'):
            raise UserError(
                'Expected a config with `auto_scale_lr` for --auto-scale-lr, but got one without. Set '
                'auto_scale_lr=dict(base_batch_size=...), the batch size that its rate is meant for.'
            )
        cfg.auto_scale_lr.enable = True
    for name, loader in loaders_of(cfg):
        if name != 'train_dataloader':  # whose workers are restarted in each epoch, see `adapt_loaders`
            loader.setdefault('persistent_workers', True)
        if args.no_persistent_workers:
            loader.persistent_workers = False
    apply_options(cfg, args.cfg_options)  # again, because they override the other arguments
    return cfg


def evaluation_config(args: Namespace) -> Config:
    """Return the config of an evaluation from the arguments of `tools/test.py`."""
    cfg = read_config(args.config, args.cfg_options, ('model', 'test_dataloader', 'test_cfg', 'test_evaluator'))
    _set_common(cfg, args)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.allow_missing:
        cfg.merge_from_dict({'default_hooks.check_weights': None})
    if cfg.get('train_dataloader'):
        cfg.train_dataloader.pop('persistent_workers', None)  # nothing is trained, so nothing is said of its workers
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        hook = cfg.setdefault('default_hooks', {}).setdefault('visualization', {})
        hook.setdefault('type', 'mmpretrain.VisualizationHook')
        hook.update(enable=True, show=args.show, out_dir=args.show_dir)
        hook.update(interval=args.interval, wait_time=args.wait_time)
    apply_options(cfg, args.cfg_options)  # again, because they override the other arguments
    if args.tta:
        _augment_test(cfg)
    return cfg


def _set_common(cfg: Config, args: Namespace) -> None:
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    for _, loader in loaders_of(cfg):
        loader.setdefault('pin_memory', True)
        loader.setdefault('collate_fn', dict(type='default_collate'))
        if args.no_pin_memory:
            loader.pin_memory = False


def _augment_test(cfg: Config) -> None:
    """Average over the views of `tta_pipeline`, by default an image and its mirror image."""
    dataset = cfg.test_dataloader.dataset
    if not dataset.get('pipeline'):
        raise UserError(
            f'Expected a test set with its own `pipeline` for --tta, but got {dataset.get("type")} without one. '
            'Name the dataset inside in test_dataloader.'
        )
    pipeline = dataset.pipeline
    views = [[dict(type='RandomFlip', prob=1.0), dict(type='RandomFlip', prob=0.0)], [pipeline[-1]]]
    cfg.setdefault('tta_model', dict(type='mmpod.AverageTTA'))
    cfg.setdefault('tta_pipeline', [*copy.deepcopy(pipeline[:-1]), dict(type='TestTimeAug', transforms=views)])
    cfg.data_preprocessor = preprocessor_of(cfg)  # replaces that of the model inside
    cfg.model = ConfigDict(cfg.tta_model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline

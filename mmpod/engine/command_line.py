"""Apply the arguments of `tools/train.py` and `tools/test.py` to a config, as mmpretrain's tools do."""

import copy
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

from mmengine.config import Config, ConfigDict

from mmpod.engine.config_keys import require_sections
from mmpod.utils.config_parts import loaders_of, preprocessor_of
from mmpod.utils.errors import UserError

__all__ = ['evaluation_config', 'read_config', 'training_config']


def read_config(path: Union[str, Path], options: Optional[dict] = None, sections: Sequence[str] = ()) -> Config:
    """Return the content of a config file.

    Args:
        path: The file.
        options: Changes to the config by dotted key, as from `--cfg-options`.
        sections: Top-level keys that the config must have.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: MMEngine cannot load it, the options do not fit it, or it lacks a section.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'Expected the config `{Path(path).absolute()}` to be a file, but there is none.')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config can raise anything
        raise UserError(
            f'Expected `{Path(path).absolute()}` to load as a config, but got {type(error).__name__}: {error}'
        ) from error
    _merge(cfg, options)
    require_sections(cfg, *sections)
    return cfg


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
    _merge(cfg, args.cfg_options)  # again, because they override the other arguments
    return cfg


def evaluation_config(args: Namespace) -> Config:
    """Return the config of an evaluation from the arguments of `tools/test.py`."""
    cfg = read_config(args.config, args.cfg_options, ('model', 'test_dataloader', 'test_cfg', 'test_evaluator'))
    _set_common(cfg, args)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.allow_missing:
        cfg.merge_from_dict({'default_hooks.check_weights': None})
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        hook = cfg.setdefault('default_hooks', {}).setdefault('visualization', {})
        hook.setdefault('type', 'mmpretrain.VisualizationHook')
        hook.update(enable=True, show=args.show, out_dir=args.show_dir)
        hook.update(interval=args.interval, wait_time=args.wait_time)
    _merge(cfg, args.cfg_options)  # again, because they override the other arguments
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


def _merge(cfg: Config, options: Optional[dict]) -> None:
    try:
        cfg.merge_from_dict(options or {})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(f'Expected --cfg-options to fit the config, but got: {error}') from error


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

"""Build a Runner from a config, with or without GPUs, for one or several processes and any PyTorch version."""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmpod.datasets.channel_orders import check_channel_order
from mmpod.engine.checkpoints import (
    check_checkpoint_file,
    check_same_checkpoint,
    latest_complete_checkpoint,
    safe_loading,
)
from mmpod.engine.config_keys import check_known_keys
from mmpod.engine.fast_path import use_fast_path
from mmpod.engine.loaders import adapt_loaders
from mmpod.utils.config_parts import type_name
from mmpod.utils.errors import UserError

__all__ = ['SAFETY_HOOKS', 'exit_process', 'runner_session']

# The hooks of every run by their names in `default_hooks`, as in configs/_base_/default_runtime.py.
SAFETY_HOOKS = dict(
    epoch_seed='EpochSeedHook',
    plain_checkpoint='PlainCheckpointHook',
    check_data='CheckDataHook',
    check_weights='CheckWeightsHook',
    features='FeaturesHook',
    invalid_loss='CheckInvalidLossHook',
    validate_on_resume='ValidateOnResumeHook',
)


@contextmanager
def runner_session(cfg: Config) -> Iterator[Runner]:
    """Build the Runner of a complete config, and destroy the process group afterwards.

    Adds to every config what MMEngine 0.10 leaves to the user: the hooks of ``SAFETY_HOOKS`` unless they are set to
    None; checkpoints that are written atomically and load with PyTorch's safe loader, which is required for every file;
    resuming from the last complete one; gloo if no GPU is visible; loaders that work without worker processes.

    Args:
        cfg: Changed in place. ``resume='auto'`` continues from the last checkpoint in ``work_dir``; without one,
            training starts from ``load_from``.

    Raises:
        FileNotFoundError: The checkpoint ``load_from`` does not exist.
        UserError: The config needs what this machine lacks or has a misspelt key, or a checkpoint cannot be used.
    """
    check_known_keys(cfg)
    check_channel_order(cfg)
    _complete_hooks(cfg)
    if cfg.get('fast'):
        use_fast_path(cfg)
    if isinstance(cfg.get('compile'), dict) and 'target' in cfg.compile:
        cfg.default_hooks['compile'] = dict(type='mmpod.CompileFeaturesHook', **cfg.pop('compile'))
    adapt_loaders(cfg, restart_workers='epoch_seed' in cfg.default_hooks)
    may_resume = cfg.get('resume')
    if may_resume == 'auto' or (may_resume and cfg.get('load_from') is None):
        latest = latest_complete_checkpoint(Path(cfg.work_dir))
        cfg.resume, cfg.load_from = latest is not None, latest or cfg.get('load_from')
    if cfg.get('load_from') is not None:
        check_checkpoint_file(cfg.load_from)
    if not torch.cuda.is_available():
        _adapt_to_cpu(cfg)
    # A run is named after its config and the second it starts in: the Runner would continue the log of another run of
    # this process and second.
    MessageHub._instance_dict.clear()
    with safe_loading(cfg.get('load_from') or 'the checkpoint that the config names'):
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        # These warnings are about how MMEngine itself opens files, which a user cannot change.
        runner.logger.addFilter(lambda record: 'will be deprecated in future' not in record.getMessage())
        if may_resume:
            check_same_checkpoint(cfg.load_from if cfg.resume else None)
        yield runner
    if dist.is_initialized():
        # Without the barrier a process that ends early can abort the others.
        dist.barrier()
        dist.destroy_process_group()


def exit_process() -> None:
    """End the process of a finished distributed command line without the interpreter's shutdown.

    In the shutdown, threads that gloo leaves behind sometimes abort the process ("terminate called without an active
    exception", seen with PyTorch 2.14), and a launcher reports the whole run as failed. Registered exit functions still
    run.
    """
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _complete_hooks(cfg: Config) -> None:
    """Add the safety hooks to a config that does not have them; None disables one."""
    hooks = dict(cfg.get('default_hooks') or {})
    custom = [type_name(hook) for hook in cfg.get('custom_hooks') or [] if isinstance(hook, dict)]
    for name, hook in SAFETY_HOOKS.items():
        if hooks.get(name, {}) is None:
            del hooks[name]  # MMEngine accepts None only for its own hooks
        elif hook not in custom and isinstance(hooks.setdefault(name, {}), dict):
            hooks[name].setdefault('type', f'mmpod.{hook}')
    checkpoint = hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    if checkpoint and '://' not in (checkpoint.get('out_dir') or ''):
        checkpoint.setdefault('backend_args', dict(backend='atomic_local'))
    cfg.default_hooks = hooks


def _adapt_to_cpu(cfg: Config) -> None:
    if type_name(cfg.get('optim_wrapper') or {}) == 'AmpOptimWrapper':
        raise UserError(
            'Expected a GPU for training with --amp (AmpOptimWrapper), but none is visible. '
            'Leave --amp out, or check `nvidia-smi` and CUDA_VISIBLE_DEVICES. Processors with bfloat16 instructions '
            'train faster with --cfg-options optim_wrapper.type=mmpod.BFloat16OptimWrapper.'
        )
    launcher = cfg.get('launcher', 'none')
    if launcher == 'none':
        return
    if launcher != 'pytorch':
        raise UserError(
            f'Expected a GPU for --launcher {launcher}, but none is visible. '
            'Without a GPU, use tools/dist_train.sh (torchrun, gloo).'
        )
    # MMEngine would call torch.cuda.set_device for every backend; it keeps an existing process group.
    dist.init_process_group('gloo')
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.model_wrapper_cfg = ConfigDict(wrapper, device_ids=None)

"""From a config to a Runner that works: with and without GPUs, on one process or several, on any PyTorch."""

import atexit
import importlib.util
import logging
import os
import pickle
import re
import sys
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Iterator, Optional

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.dist import all_gather_object, get_world_size
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner, find_latest_checkpoint
from mmengine.utils import get_installed_path

from mmpod.engine.fast_path import add_compile_hook, use_fast_path
from mmpod.utils.errors import unsafe_checkpoint_error

__all__ = ['check_total_batch', 'host_tool', 'exit_process', 'require_safe_loading', 'runner_session']

# Said for every `mmpretrain::` base of every config, on a matter that `setuptools<81` has settled.
warnings.filterwarnings('ignore', 'pkg_resources is deprecated')

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def host_tool(name: str) -> ModuleType:
    """Return mmpretrain's command line ``tools/<name>.py`` as a module, for its ``parse_args`` and ``merge_args``.

    Raises:
        FileNotFoundError: mmpretrain is installed without its tools.
    """
    path = Path(get_installed_path('mmpretrain')) / '.mim' / 'tools' / f'{name}.py'
    if not path.is_file():
        raise FileNotFoundError(
            f'Expected mmpretrain to bring `{path}`, but it is not there (an editable install of '
            'mmpretrain leaves it out). Install the release: pip install mmpretrain.'
        )
    spec = importlib.util.spec_from_file_location(f'mmpretrain_tools_{name}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def runner_session(cfg: Config) -> Iterator[Runner]:
    """Build the Runner of a complete config, and take the process group down after it.

    Sees to what MMEngine 0.10 leaves to its user: checkpoints that load with PyTorch's safe loader, which is required
    for every file, and are written whole; resuming from the newest one that is whole, with the random numbers of an
    unbroken run; gloo where no GPU is visible; loaders without worker processes.

    Raises:
        ValueError: The config asks for what this machine lacks, or a checkpoint holds more than plain data.
    """
    require_safe_loading()
    _complete_hooks(cfg)
    if cfg.get('fast'):
        use_fast_path(cfg)
    if isinstance(cfg.get('compile'), dict) and 'target' in cfg.compile:
        add_compile_hook(cfg)
    for name in DATALOADERS:
        if cfg.get(name) is not None and cfg[name].get('num_workers', 0) == 0:
            cfg[name]['persistent_workers'] = False
    if cfg.get('resume') and cfg.get('load_from') is None:
        cfg.load_from = latest_complete_checkpoint(Path(cfg.work_dir))
    if not torch.cuda.is_available():
        _adapt_to_cpu(cfg)
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    if cfg.get('resume'):
        _require_same_checkpoint(cfg.get('load_from') or find_latest_checkpoint(cfg.work_dir))
    try:
        yield runner
    except pickle.UnpicklingError as error:
        where = f'load_from={cfg.get("load_from")!r}, resume={cfg.get("resume")}'
        raise unsafe_checkpoint_error(f'the checkpoint ({where})', error) from error
    if dist.is_initialized():
        # Without the barrier a process that ends early can abort the others.
        dist.barrier()
        dist.destroy_process_group()


def exit_process() -> None:
    """End the process of a finished command line, if others worked with it, without the interpreter's own way out.

    There, threads that gloo leaves behind sometimes abort the process ("terminate called without an active exception",
    seen with PyTorch 2.14), and a launcher takes the whole run for failed. What other packages do at exit is done.
    """
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _complete_hooks(cfg: Config) -> None:
    """Add what makes a run safe to kill and exact to resume to a config that does not have it; None switches it off."""
    cfg.default_hooks = cfg.get('default_hooks') or {}
    hooks = cfg.default_hooks
    for name, hook in (('plain_checkpoint', 'PlainCheckpointHook'), ('epoch_seed', 'EpochSeedHook')):
        if hooks.setdefault(name, dict(type=f'mmpod.{hook}')) is None:
            del hooks[name]  # MMEngine understands None for its own hooks only
    checkpoint = hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    if checkpoint and '://' not in (checkpoint.get('out_dir') or ''):
        checkpoint.setdefault('backend_args', dict(backend='atomic_local'))
    if 'epoch_seed' in hooks and cfg.get('train_dataloader') is not None:
        cfg.train_dataloader['persistent_workers'] = False


def latest_complete_checkpoint(work_dir: Path) -> Optional[str]:
    """Return the last `epoch_N.pth` or `iter_N.pth` of a run that was written to its end.

    MMEngine goes by `last_checkpoint` alone. A process killed while it writes leaves a file without the directory that
    ends a zip archive; the checkpoint before it is then the one to go on from. None, where there is no such file,
    leaves the choice to MMEngine.
    """
    numbered = {path: re.fullmatch(r'(?:epoch|iter)_(\d+)', path.stem) for path in work_dir.glob('*.pth')}
    found = {path: int(match[1]) for path, match in numbered.items() if match}
    for path in sorted(found, key=found.get, reverse=True):
        if zipfile.is_zipfile(path):
            return str(path)
        print_log(f'{path} is cut off and will not be resumed from.', logger='current', level=logging.WARNING)
    return None


def _require_same_checkpoint(path: Optional[str]) -> None:
    """Stop all processes where they would go on from different files; a collective."""
    file = None if path is None else Path(path)
    found = f'{file.name} ({file.stat().st_size} bytes)' if file and file.is_file() else path
    by_process = all_gather_object(found)
    other = next((rank for rank, name in enumerate(by_process) if name != by_process[0]), None)
    if other is not None:
        raise ValueError(
            f'Expected all processes to resume from the same checkpoint, but process 0 has {by_process[0]} and '
            f'process {other} has {by_process[other]}. Only the first machine writes checkpoints: put --work-dir on a '
            'disk that all machines see, or copy it from the first to the others.'
        )


def require_safe_loading() -> None:
    """Let PyTorch load plain data only, from any file: the default since PyTorch 2.6, on request before that."""
    if 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD' not in os.environ:
        os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'


def _adapt_to_cpu(cfg: Config) -> None:
    for name in DATALOADERS:
        if cfg.get(name) is not None:
            cfg[name]['pin_memory'] = False
    if (cfg.get('optim_wrapper') or {}).get('type') == 'AmpOptimWrapper':
        raise ValueError(
            'Expected a GPU for training with --amp (AmpOptimWrapper), but none is visible. '
            'Leave --amp out, or check `nvidia-smi` and CUDA_VISIBLE_DEVICES. Processors with bfloat16 instructions '
            'train faster with --cfg-options optim_wrapper.type=mmpod.BFloat16OptimWrapper.'
        )
    launcher = cfg.get('launcher', 'none')
    if launcher == 'none':
        return
    if launcher != 'pytorch':
        raise ValueError(
            f'Expected a GPU for --launcher {launcher}, but none is visible. '
            'Without a GPU, use tools/dist_train.sh (torchrun, gloo).'
        )
    # MMEngine would call torch.cuda.set_device, whatever the backend; an existing process group it leaves alone.
    dist.init_process_group('gloo')
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def check_total_batch(cfg: Config) -> None:
    """Warn if the batch over all processes is not the one that the config's learning rate is meant for.

    That one is ``auto_scale_lr.base_batch_size``. Call it once the processes have been set up.
    """
    recipe = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if recipe is None:
        return
    per_process, processes = cfg.train_dataloader.get('batch_size'), get_world_size()
    if per_process is None or per_process * processes == recipe or cfg.auto_scale_lr.get('enable'):
        return
    hint = f'train_dataloader.batch_size={recipe // processes}' if recipe % processes == 0 else 'another process count'
    print_log(
        f'The total batch is {processes} x {per_process} = {processes * per_process}; the learning rate of this config '
        f'is meant for {recipe}. Keep the recipe with `--cfg-options {hint}`, or scale the rate with '
        '--auto-scale-lr.',
        logger='current',
        level=logging.WARNING,
    )

"""Check the keys of a config, and of options that change it, for missing sections and misspelt keys."""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, FlexibleRunner, IterBasedTrainLoop, Runner, TestLoop, ValLoop
from torch.utils.data import DataLoader

from mmpod.utils.config_parts import classes_named, type_name
from mmpod.utils.errors import UserError, did_you_mean

__all__ = ['check_known_keys', 'check_option', 'require_sections']


def _arguments(*functions: Callable) -> set[str]:
    return {name for function in functions for name in inspect.signature(function).parameters} - {'self', 'kwargs'}


# The keys that MMEngine, mmpretrain and mmpod read from a config.
READ = {
    *_arguments(Runner, FlexibleRunner),
    *('activation_checkpointing', 'compile', 'custom_imports', 'efficient_conv_bn_eval', 'fast'),
    'find_unused_parameters',
    *('model_wrapper_cfg', 'runner_type', 'sync_bn', 'tta_model', 'tta_pipeline'),
} - {'cfg'}
# Variables that mmpretrain's configs define for their own use.
VARIABLES = {
    *('bgr_mean', 'bgr_std', 'data_root', 'dataset_type', 'train_pipeline', 'test_pipeline', 'val_pipeline'),
    *('vis_backends', 'optimizer'),
}
LOADER = _arguments(DataLoader) | {'num_batch_per_epoch', 'disable_subprocess_warning'}
# The keys of sections that MMEngine reads or passes on itself; its registry, which names wrong keys, never sees them.
SECTIONS = {
    'randomness': _arguments(Runner.set_randomness),
    'env_cfg': {'cudnn_benchmark', 'dist_cfg', 'mp_cfg', 'resource_limit'},
    'auto_scale_lr': {'base_batch_size', 'enable'},
    'train_cfg': _arguments(EpochBasedTrainLoop, IterBasedTrainLoop) | {'by_epoch'},
    'val_cfg': _arguments(ValLoop),
    'test_cfg': _arguments(TestLoop),
    **dict.fromkeys(('train_dataloader', 'val_dataloader', 'test_dataloader'), LOADER),
    'default_hooks.checkpoint': _arguments(CheckpointHook, Runner.save_checkpoint) | {'type', '_scope_', 'priority'},
}


def check_known_keys(cfg: Config) -> None:
    """Refuse a misspelt key at the top or in a section of MMEngine, which would be ignored, or fail late.

    At the top, variables for the config's own use are allowed: their names are unlike the known ones, or used somewhere
    in its text.

    Raises:
        UserError: A key at the top is close to a known one, or one of a section is unknown.
    """
    known = READ | VARIABLES
    for key in cfg:
        value = cfg.get(key)
        imported = callable(value) or inspect.ismodule(value)  # by a config in pure Python
        if imported or key in known or len(re.findall(rf'\b{re.escape(key)}\b', cfg.text)) > 1:
            continue
        guess = did_you_mean(key, known, cutoff=0.85)
        if guess is not None:
            raise UserError(
                f'Expected the keys of the config to be known ones or its own variables, but got {key!r}, which is '
                f'never used. Did you mean {guess!r}? If it is a variable of your own, give it a less similar name.'
            )
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint')
    for name, known in SECTIONS.items():
        section = checkpoint if name == 'default_hooks.checkpoint' else cfg.get(name)
        if not isinstance(section, dict) or ('type' in section and type_name(section) != 'CheckpointHook'):
            continue  # the registry builds it
        for key in section:
            if key not in known:
                guess = did_you_mean(key, known, cutoff=0.7)
                hint = f'Did you mean {guess!r}?' if guess else f'They are {", ".join(sorted(known))}.'
                raise UserError(f'Expected the keys of `{name}` to be known ones, but got {key!r}. {hint}')


def check_option(cfg: Config, key: str, value: Any) -> None:
    """Refuse an option that changes no setting of a config or replaces a whole section by a number or a word.

    Raises:
        UserError: The first part of the key is not a setting, another part is new and resembles an existing one, or
            the value cannot be that of a section.
    """
    top, *rest = key.split('.')
    if top == 'custom_imports':
        raise UserError('Expected `custom_imports` in the config file, because it takes effect before all options.')
    if top not in READ:
        hint = ' It is a variable of the config file: change the settings that use it.'
        path = ' Name it by its path, such as optim_wrapper.optimizer.lr.'
        hint = hint if top in cfg else _hint(top, READ) or path
        raise UserError(f'Expected the option `{key}` to change a setting, but `{top}` is not one.{hint}')
    node = cfg.get(top)
    # False switches a section such as `compile` off.
    if not rest and isinstance(node, Mapping) and not isinstance(value, (Mapping, list, bool, type(None))):
        raise UserError(
            f'Expected the option `{key}` to be a section, but got {value!r}. Change its keys one by one: '
            f'{key}.KEY=VALUE.'
        )
    for part in rest:
        if isinstance(node, (list, tuple)) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, Mapping) and part in node:
            node = node[part]
        else:
            hint = _hint(part, map(str, node)) if isinstance(node, Mapping) else ''
            if hint and part not in _arguments_of(node):
                raise UserError(f'Expected the option `{key}` to change a setting, but there is no `{part}`.{hint}')
            return


def require_sections(cfg: Config, *names: str) -> None:
    """Raise a UserError if a section that a command needs is absent or None."""
    missing = [name for name in names if cfg.get(name) is None]
    if missing:
        raise UserError(
            f'Expected the config to have {", ".join(names)}, but {", ".join(missing)} is missing. Inherit them from '
            'a complete config, such as those in `configs/`.'
        )


def _arguments_of(section: Mapping) -> set[str]:
    """Return the arguments of the class that the ``type`` of a section names, in any registry."""
    kinds = classes_named(section.get('type'))
    bases = {base for kind in kinds if isinstance(kind, type) for base in kind.__mro__}  # it may be a function
    return _arguments(*(vars(base)['__init__'] for base in bases if '__init__' in vars(base)))


def _hint(name: str, known: Iterable[str]) -> str:
    """Return a "did you mean" hint for a misspelt name, but not for names that differ only in digits."""
    guess = did_you_mean(name, known, cutoff=0.85)
    if guess is None or re.sub(r'\d', '', guess) == re.sub(r'\d', '', name):
        return ''
    return f' Did you mean `{guess}`?'

"""Check the top-level keys of a config for missing sections and misspelt keys."""

import inspect
import re

from mmengine.config import Config
from mmengine.runner import FlexibleRunner, Runner

from mmpod.utils.errors import UserError, did_you_mean

__all__ = ['check_known_keys', 'require_sections']

# The keys that MMEngine, mmpretrain and mmpod read from a config.
READ = {
    *inspect.signature(Runner.__init__).parameters,
    *inspect.signature(FlexibleRunner.__init__).parameters,
    *('activation_checkpointing', 'compile', 'custom_imports', 'efficient_conv_bn_eval', 'fast'),
    'find_unused_parameters',
    *('model_wrapper_cfg', 'runner_type', 'sync_bn', 'tta_model', 'tta_pipeline'),
} - {'self', 'cfg'}
# Variables that mmpretrain's configs define for their own use.
VARIABLES = {
    *('bgr_mean', 'bgr_std', 'data_root', 'dataset_type', 'train_pipeline', 'test_pipeline', 'val_pipeline'),
    *('vis_backends', 'optimizer'),
}


def check_known_keys(cfg: Config) -> None:
    """Refuse a misspelt top-level key, which nothing reads, so that the default would be used instead.

    Variables for the config's own use are allowed: their names are unlike the known ones, or used somewhere in its
    text.

    Raises:
        UserError: A key is close to a known one.
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
                f'Expected the keys of the config to be known ones or its own variables, but got {key!r}, which '
                f'nothing reads. Did you mean {guess!r}? Your own variables need names that are less similar.'
            )


def require_sections(cfg: Config, *names: str) -> None:
    """Refuse a config without the sections that a command needs.

    Raises:
        UserError: One of them is absent or None.
    """
    missing = [name for name in names if cfg.get(name) is None]
    if missing:
        raise UserError(
            f'Expected the config to have {", ".join(names)}, but {", ".join(missing)} is missing. Inherit them from '
            'a complete config, such as those in `configs/`.'
        )

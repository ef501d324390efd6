"""A hook that saves checkpoints that PyTorch's safe loader can read; `engine/checkpoints.py` loads them."""

from collections import OrderedDict
from typing import Any, Optional

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

from mmpod.registry import HOOKS

__all__ = ['PlainCheckpointHook']

BUFFER_KEYS = {'values', 'counts', 'max_length'}


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Save the log, the schedules and the facts about the run as plain data, like the rest of a checkpoint.

    MMEngine 0.10 pickles its ``HistoryBuffer`` objects into each checkpoint, and NumPy values that come from metrics or
    from the dataset. Since version 2.6 PyTorch refuses such objects (``weights_only=True``), and MMEngine can neither
    resume from nor test its own files. On saving, this hook turns

    - the buffers into tensors,
    - NumPy scalars into Python numbers and arrays into lists, at any depth,
    - dicts of other classes into plain ones, such as the milestones of schedulers, a ``Counter`` that PyTorch before
      2.4 refuses.

    On loading, it restores the buffers. PyTorch's check stays on for every file. MMEngine without the hook can also
    read such a checkpoint: it skips the history of the log and resumes the rest.

    Loss terms that the resumed run no longer has are removed from the log.
    """

    priority = 'ABOVE_NORMAL'  # before the hook that writes the log

    def __init__(self) -> None:
        self.restored_losses: set[str] = set()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace each ``HistoryBuffer`` by a dict of two tensors (number of values,) and a length; unwrap the rest."""
        scalars = checkpoint['message_hub']['log_scalars']
        for name, buffer in scalars.items():
            values, counts = buffer.data
            scalars[name] = dict(
                values=torch.as_tensor(values, dtype=torch.float64),
                counts=torch.as_tensor(counts, dtype=torch.int64),
                max_length=buffer.max_length,
            )
        for part in {'message_hub', 'param_schedulers', 'meta'} & checkpoint.keys():
            checkpoint[part] = _plain(checkpoint[part])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Undo the replacement before the Runner resumes."""
        scalars = checkpoint.get('message_hub', {}).get('log_scalars', {})
        for name, plain in scalars.items():
            if isinstance(plain, dict) and plain.keys() == BUFFER_KEYS:
                scalars[name] = HistoryBuffer(plain['values'].numpy(), plain['counts'].numpy(), plain['max_length'])
        self.restored_losses = {name for name in scalars if name.startswith('train/') and 'loss' in name}

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None, outputs: Optional[dict] = None
    ) -> None:
        """Remove loss terms that a resumed run no longer has; the log would repeat their last value."""
        for name in self.restored_losses - {f'train/{term}' for term in outputs or {}}:
            runner.message_hub.log_scalars.pop(name, None)
        self.restored_losses = set()


def _plain(value: Any) -> Any:
    """Return the same content without functions and NumPy's types, which PyTorch's safe loader refuses."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, dict):
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        # A function is no state: OneCycleLR saves the one that it computes with, and has it again after loading.
        return kind((_plain(key), _plain(item)) for key, item in value.items() if not callable(item))
    if type(value) in (list, tuple):
        return type(value)(_plain(item) for item in value)
    return value

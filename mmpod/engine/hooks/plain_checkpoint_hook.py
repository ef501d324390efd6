"""A hook that saves checkpoints that PyTorch's safe loader can read."""

from collections import Counter
from typing import Optional

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
    """Save the state of the log as plain data, so that a checkpoint contains nothing else.

    MMEngine 0.10 pickles its ``HistoryBuffer`` objects and NumPy scalars into each checkpoint. Since version 2.6
    PyTorch refuses such objects (``weights_only=True``), and MMEngine can neither resume from nor test its own files.
    On saving, this hook turns

    - the buffers into tensors,
    - the scalars into Python numbers,
    - the milestones of schedulers, a ``Counter`` that PyTorch before 2.4 refuses, into a dict.

    On loading, it restores the buffers. The check stays on for every file. MMEngine without the hook can also read such
    a checkpoint: it skips the history of the log and resumes the rest.

    Loss terms that the resumed run no longer has are removed from the log.
    """

    priority = 'ABOVE_NORMAL'  # before the hook that writes the log

    def __init__(self) -> None:
        self.restored_losses: set[str] = set()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace each ``HistoryBuffer`` by a dict of two tensors (number of values,) and a length; unwrap the rest."""
        scalars, info = (checkpoint['message_hub'][part] for part in ('log_scalars', 'runtime_info'))
        for name, buffer in scalars.items():
            values, counts = buffer.data
            scalars[name] = dict(
                values=torch.as_tensor(values, dtype=torch.float64),
                counts=torch.as_tensor(counts, dtype=torch.int64),
                max_length=buffer.max_length,
            )
        for name, value in info.items():
            if isinstance(value, np.generic):
                info[name] = value.item()

        schedulers = checkpoint.get('param_schedulers', [])
        # With several optimizers, such as COT's, a dict of lists.
        lists = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
        for state in (state for states in lists for state in states):
            state.update({name: dict(value) for name, value in state.items() if isinstance(value, Counter)})

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

"""Mixed precision in bfloat16, even without a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmpod.registry import OPTIM_WRAPPERS

__all__ = ['BFloat16OptimWrapper']


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """An optimizer wrapper that runs the forward pass under PyTorch's autocast to bfloat16.

    It is for processors with bfloat16 instructions (``avx512_bf16`` or ``amx_bf16`` in ``lscpu``); on others it is
    slower than float32. MMEngine's ``AmpOptimWrapper`` refuses to train without an accelerator. Gradients of bfloat16
    have the range of float32 and are not scaled; weights, losses and the optimizer stay in float32.

    Args:
        loss_scale, dtype: Ignored; they make it possible to replace an ``AmpOptimWrapper`` by changing only ``type``.
        **kwargs: Passed to MMEngine's ``OptimWrapper``: ``optimizer``, ``accumulative_counts``, ``clip_grad``.

    Example:
        ``--cfg-options optim_wrapper.type=mmpod.BFloat16OptimWrapper``
    """

    def __init__(self, loss_scale: Any = None, dtype: Any = None, **kwargs: Any):
        super().__init__(**kwargs)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Wrap a forward pass of ``model``."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield

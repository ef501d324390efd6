"""A hook that compiles the part of a classifier that torch.compile can capture as one graph."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmpod.engine.extraction import plain_model
from mmpod.registry import HOOKS
from mmpod.utils.checks import check_choice

__all__ = ['CompileFeaturesHook']


@HOOKS.register_module()
class CompileFeaturesHook(Hook):
    """Compile ``extract_feat``, backbone and neck, for full training batches: ``compile=dict(target='extract_feat')``.

    MMEngine's own ``compile`` compiles the whole training step, in which the list of data samples breaks the graph.
    Evaluation and a smaller last batch run uncompiled, because each new shape would be compiled again.

    Args:
        target: The method to compile; this is the only choice.
        **options: Passed to :func:`torch.compile`, such as ``mode='reduce-overhead'``.

    Raises:
        ValueError: The target is another method.
    """

    def __init__(self, target: str = 'extract_feat', **options: Any):
        check_choice('target', target, ['extract_feat'])
        self.options = options

    def before_train(self, runner: Runner) -> None:
        """Replace the method of the model, once."""
        model = plain_model(runner.model)
        eager, full_batch = model.extract_feat, runner.train_dataloader.batch_size
        compiled = torch.compile(eager, **self.options)

        def extract_feat(inputs: Tensor, *args: Any, **kwargs: Any) -> Any:
            whole = model.training and len(inputs) == full_batch
            return (compiled if whole else eager)(inputs, *args, **kwargs)

        model.extract_feat = extract_feat

"""Complement Objective Training (COT), Section II-A of arXiv 2111.15449 v1 (Chen et al., arXiv 1903.01182)."""

from typing import Any, Optional

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapperDict
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpod.registry import MODEL_WRAPPERS, MODELS

__all__ = ['COTClassifier', 'COTDistributedDataParallel']

# The two objectives of a step, in order: the name of the optimizer and the mode of the forward pass.
OBJECTIVES = {'primary': 'loss', 'complement': 'complement'}


@MODELS.register_module()
class COTClassifier(ImageClassifier):
    """Take two full steps per batch: one on the head's own loss, then one on the complement objective.

    As in the authors' released code, each step runs forward, backward and its own optimizer over the same parameters;
    the second starts from the weights that the first has updated. Batch norm sees each batch twice. A config needs,
    in addition to this type, the two optimizers and, for several processes, the matching wrapper::

        optim_wrapper = dict(constructor='mmpod.COTOptimWrapperConstructor')
        model_wrapper_cfg = dict(type='mmpod.COTDistributedDataParallel')

    Args:
        args, kwargs: Passed to mmpretrain's ``ImageClassifier``. The head must turn features into logits (N, K).
        complement_loss: Config of the second objective, a loss of logits and integer labels.
    """

    def __init__(self, *args: Any, complement_loss: dict = dict(type='mmpod.ComplementEntropyLoss'), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.complement_loss = MODELS.build(complement_loss)

    def forward(self, inputs: Tensor, data_samples: Optional[list[DataSample]] = None, mode: str = 'tensor') -> Any:
        """Run mmpretrain's modes, or ``mode='complement'``, which returns the losses of the second objective."""
        if mode != 'complement':
            return super().forward(inputs, data_samples, mode)
        if 'gt_score' in data_samples[0]:
            raise ValueError(
                'Expected integer labels for COTClassifier, whose complement needs one true class, but batch '
                'augmentations (Mixup, CutMix) made soft labels. Leave train_cfg.augments out.'
            )
        labels = torch.cat([sample.gt_label for sample in data_samples])
        return self.complement_loss(self.head(self.extract_feat(inputs)), labels)

    def train_step(
        self,
        data: dict,
        optim_wrapper: OptimWrapperDict,
        wrapper: Optional[MMDistributedDataParallel] = None,
    ) -> dict[str, Tensor]:
        """Take both steps on one batch and return the terms of both losses; ``loss`` is the primary one."""
        if not isinstance(optim_wrapper, OptimWrapperDict):
            raise TypeError(
                'Expected `optim_wrapper` to hold the two optimizers of COT, but got one '
                f'{type(optim_wrapper).__name__}. Add to the config: '
                "optim_wrapper=dict(constructor='mmpod.COTOptimWrapperConstructor')."
            )
        if wrapper is None and dist.is_initialized() and dist.get_world_size() > 1:
            raise TypeError(
                'Expected COTClassifier in COTDistributedDataParallel, because there are several processes, but it is '
                "not wrapped. Add to the config: model_wrapper_cfg=dict(type='mmpod.COTDistributedDataParallel')."
            )
        model = wrapper or self
        data = self.data_preprocessor(data, training=True)
        log: dict[str, Tensor] = {}
        for name, mode in OBJECTIVES.items():
            with optim_wrapper[name].optim_context(model):
                losses = model._run_forward(data, mode=mode)
            objective, terms = self.parse_losses(losses)
            optim_wrapper[name].update_params(objective)
            log = {**terms, **log}
        return log


@MODEL_WRAPPERS.register_module()
class COTDistributedDataParallel(MMDistributedDataParallel):
    """DistributedDataParallel that leaves the training step to :class:`COTClassifier`.

    Args:
        module: The classifier.
        broadcast_buffers: Copy the buffers of rank 0 before each forward pass; off, as in MMEngine's Runner.
        kwargs: Passed to MMEngine's ``MMDistributedDataParallel``.
    """

    def __init__(self, module: COTClassifier, broadcast_buffers: bool = False, **kwargs: Any):
        super().__init__(module=module, broadcast_buffers=broadcast_buffers, **kwargs)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Take the classifier's two steps, each through this wrapper, which averages the gradients."""
        return self.module.train_step(data, optim_wrapper, wrapper=self)

"""Losses with one signature: ``loss(features, labels, prototypes)`` returns named terms that add up to the objective.

The exception is COT's complement entropy, which takes logits and accompanies a head's own loss.
"""

from .am_softmax_loss import AMSoftmaxLoss
from .asoftmax_loss import ASoftmaxLoss
from .center_loss import CenterLoss
from .complement_entropy_loss import ComplementEntropyLoss
from .lsoftmax_loss import LSoftmaxLoss
from .norm_adaptive_pod_loss import NormAdaptivePODLoss
from .pedcc_loss import PEDCCLoss
from .pod_loss import PODLoss
from .prototype_loss import PrototypeLoss

__all__ = [
    'AMSoftmaxLoss',
    'ASoftmaxLoss',
    'CenterLoss',
    'ComplementEntropyLoss',
    'LSoftmaxLoss',
    'NormAdaptivePODLoss',
    'PEDCCLoss',
    'PODLoss',
    'PrototypeLoss',
]

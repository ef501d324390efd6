"""Classification heads with one prototype per class: predefined centroids, or learned class weights."""

from .learned_prototype_head import LearnedPrototypeHead
from .pedcc_head import PEDCCHead
from .prototype_head import PrototypeHead

__all__ = ['LearnedPrototypeHead', 'PEDCCHead', 'PrototypeHead']

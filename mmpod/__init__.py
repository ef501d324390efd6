"""mmpod: softmax-free classification with predefined class centroids (PEDCC) and POD Loss for mmpretrain.

Importing the package registers its modules, so that ``custom_imports = dict(imports=['mmpod'])`` is all that a
config needs; with the prefixed names (``type='mmpod.PODLoss'``) it needs no line at all.
"""

from . import datasets, engine, evaluation, functional, models, posthoc
from .shipped import config_file
from .version import __version__

__all__ = ['__version__', 'config_file', 'datasets', 'engine', 'evaluation', 'functional', 'models', 'posthoc']

"""mmpod: softmax-free classification with predefined class centroids (PEDCC) and POD Loss for mmpretrain.

Importing the package registers its modules, so that ``custom_imports = dict(imports=['mmpod'])`` is all that a
config needs; with the prefixed names (``type='mmpod.PODLoss'``) it needs no line at all.
"""

from . import datasets, engine, evaluation, functional, models, posthoc
from .version import __version__

__all__ = ['__version__', 'convert', 'datasets', 'engine', 'evaluation', 'functional', 'models', 'posthoc']


def __getattr__(name: str):
    # On demand, because it is the only thing here that a training run does not need.
    if name == 'convert':
        from .apis.conversion import convert

        return convert
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

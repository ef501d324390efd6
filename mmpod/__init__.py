"""mmpod: softmax-free classification with predefined class centroids (PEDCC) and POD Loss for mmpretrain.

Importing the package registers its modules, so a config only needs ``custom_imports = dict(imports=['mmpod'])``, and
not even this if it uses prefixed names (``type='mmpod.PODLoss'``). The import also registers the shipped configs, so
that ``mmpretrain.get_model`` and ``list_models`` know their names.
"""

import mmpod.utils.check_numpy  # noqa: F401
import mmpod.utils.quiet_imports  # noqa: F401
from mmpod.utils.paths import config_file, find_bases_of_checkouts

from . import datasets, engine, evaluation, functional, models, posthoc
from .conversion.convert import convert
from .engine import Inferencer, get_model
from .shipped_configs import register_models
from .version import __version__

__all__ = [
    'Inferencer',
    '__version__',
    'config_file',
    'convert',
    'datasets',
    'engine',
    'evaluation',
    'functional',
    'get_model',
    'models',
    'posthoc',
]

find_bases_of_checkouts()
register_models()

"""Registries that make every module of mmpod available both as ``PODLoss`` and as ``mmpod.PODLoss``.

The bare name works in any mmpretrain config once mmpod is imported, because the class is registered in mmpretrain's
own registry. The prefixed name needs no import: MMEngine sees the scope ``mmpod``, imports this module and looks in a
child of its root registry. One decorator registers a class in both.
"""

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmpretrain import registry as mmpretrain_registry

__all__ = ['DATASETS', 'HOOKS', 'METRICS', 'MODELS', 'MODEL_WRAPPERS', 'OPTIM_WRAPPERS', 'OPTIM_WRAPPER_CONSTRUCTORS']


class PluginRegistry(Registry):
    """A child of an MMEngine root registry that also registers each class in mmpretrain's registry.

    Args:
        kind: Name of the registry in both packages, for example ``'MODELS'``.
        location: Module whose import registers all classes of this kind.
    """

    def __init__(self, kind: str, location: str):
        self._host = getattr(mmpretrain_registry, kind)
        root = getattr(mmengine_registry, kind)
        super().__init__(root.name, parent=root, scope='mmpod', locations=[location])

    def _register_module(self, module, module_name=None, force=False):
        super()._register_module(module, module_name, force)
        self._host.register_module(name=module_name, force=force, module=module)


MODELS = PluginRegistry('MODELS', 'mmpod.models')
MODEL_WRAPPERS = PluginRegistry('MODEL_WRAPPERS', 'mmpod.models')
DATASETS = PluginRegistry('DATASETS', 'mmpod.datasets')
HOOKS = PluginRegistry('HOOKS', 'mmpod.engine')
OPTIM_WRAPPERS = PluginRegistry('OPTIM_WRAPPERS', 'mmpod.engine')
OPTIM_WRAPPER_CONSTRUCTORS = PluginRegistry('OPTIM_WRAPPER_CONSTRUCTORS', 'mmpod.engine')
METRICS = PluginRegistry('METRICS', 'mmpod.evaluation')

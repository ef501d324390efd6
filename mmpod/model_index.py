"""The shipped configs under their names: ``mmpretrain.get_model('pod_resnet50_cifar10')``, ``list_models('pod_*')``."""

from mmpretrain.apis import ModelHub

from mmpod.utils.paths import CONFIGS

__all__ = ['register_models']


def register_models() -> None:
    """Enter the models of `model-index.yml`, beside the configs, into mmpretrain's hub, once.

    The weights that ship beside a config get their full path there, which mmpretrain gives to configs only.
    """
    folder = CONFIGS.parent
    index = folder / 'model-index.yml'
    if not index.is_file() or ModelHub.has('pod_resnet50_cifar10'):  # the hub refuses a name that it has
        return
    ModelHub.register_model_index(index, config_prefix=folder)
    for model in ModelHub._models_dict.values():
        if model.weights and (folder / model.weights).is_file():
            model.weights = str(folder / model.weights)

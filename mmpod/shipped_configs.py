"""The shipped configs under their names: ``mmpretrain.get_model('pod_resnet50_cifar10')``, ``list_models('pod_*')``."""

from mmpretrain.apis import ModelHub

from mmpod.utils.paths import CONFIGS

__all__ = ['register_models']


def register_models() -> None:
    """Add the models of `model-index.yml`, which is next to the folder of the configs, to mmpretrain's hub, once.

    Weights that ship with a config are given their full path; mmpretrain itself does this only for configs.
    """
    folder = CONFIGS.parent
    index = folder / 'model-index.yml'
    if not index.is_file() or ModelHub.has('pod_resnet50_cifar10'):  # the hub refuses a name that it has
        return
    ModelHub.register_model_index(index, config_prefix=folder)
    for model in ModelHub._models_dict.values():
        if model.weights and (folder / model.weights).is_file():
            model.weights = str(folder / model.weights)

"""The shipped configs under their names: ``mmpretrain.get_model('pod_resnet50_cifar10')``, ``list_models('pod_*')``."""

from pathlib import Path

from mmpretrain.apis import ModelHub

__all__ = ['register_models']

MEMBER = 'configs/pod_resnet50_cifar10.py'  # a foreign index may lie beside an installed package


def register_models() -> None:
    """Enter the models of `model-index.yml` into mmpretrain's hub, once; without that file, none.

    The file is that of the checkout, or of `mmpod/.mim` in an installed wheel.
    """
    package = Path(__file__).resolve().parent
    for root in (package.parent, package / '.mim'):
        index = root / 'model-index.yml'
        if index.is_file() and (root / MEMBER).is_file():
            if not ModelHub.has(Path(MEMBER).stem):  # the hub refuses a name that it has
                ModelHub.register_model_index(index, config_prefix=root)
            return

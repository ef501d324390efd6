"""Find the configs and tools of mmpod, in a checkout or in the package folder of an installed wheel."""

from pathlib import Path
from typing import cast

from mmpod.utils.package_configs import package_data

__all__ = ['CONFIGS', 'TOOLS', 'config_file']

TOOLS, CONFIGS = ((cast(Path, package_data('mmpod')) / name).resolve() for name in ('tools', 'configs'))


def config_file(name: str) -> str:
    """Return the path of a shipped config, to load it or to inherit from it.

    MMEngine evaluates ``_base_`` on its own, without the imports of the config::

        _base_ = __import__('mmpod').config_file('pod_resnet50_cifar10')

    Args:
        name: The config's name, for example ``'pod_resnet50_cifar10'`` or ``'_base_/models/pod_resnet50'``.

    Raises:
        FileNotFoundError: There is no such config.

    Examples:
        >>> config_file('pod_resnet50_cifar10').endswith('configs/pod_resnet50_cifar10.py')
        True
    """
    path = CONFIGS / f'{name[:-3] if name.endswith(".py") else name}.py'
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected `name` to be a config of mmpod, such as 'pod_resnet50_cifar10', but got {name!r}. "
            f'All configs are in `{CONFIGS}`.'
        )
    return str(path)

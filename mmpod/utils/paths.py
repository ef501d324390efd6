"""Find the configs and tools of mmpod, in a checkout or in the package folder of an installed wheel."""

from pathlib import Path

__all__ = ['CONFIGS', 'TOOLS', 'config_file']


def _folder(name: str, member: str) -> Path:
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / name
    # A folder of this name next to an installed package may belong to another one, so look for a file of mmpod.
    return checkout if (checkout / member).is_file() else package / '.mim' / name


TOOLS = _folder('tools', 'dist_train.sh')
CONFIGS = _folder('configs', 'pod_resnet50_cifar10.py')


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

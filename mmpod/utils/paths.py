"""Find the configs and tools of mmpod, mmpretrain or another package, in a checkout or in an installed wheel."""

from importlib.util import find_spec
from pathlib import Path
from typing import Optional, cast

from mmengine.config import Config

__all__ = ['CONFIGS', 'TOOLS', 'config_file', 'find_bases_of_checkouts', 'package_data']


def package_data(package: str) -> Optional[Path]:
    """Return the folder of a package's `configs` and `model-index.yml`, or None if there is no such package.

    It is `.mim` inside an installed package, and the checkout around it if it is installed with `pip install -e`.
    """
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:  # a folder without __init__.py has no origin
        return None
    folder = Path(spec.origin).parent
    return folder / '.mim' if (folder / '.mim').is_dir() else folder.parent


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


def find_bases_of_checkouts() -> None:
    """Let a ``_base_`` such as ``'mmpretrain::_base_/default_runtime.py'`` name a config of a checkout.

    MMEngine 0.10 looks only in `.mim`, which `pip install -e` has not created since pip 21.3.
    """
    find_installed = Config._get_cfg_path

    def find(cfg_path: str, filename: str) -> tuple[str, Optional[str]]:
        package, _, relative = cfg_path.partition('::')
        folder = package_data(package) if relative else None
        if folder is None or folder.name == '.mim':
            return find_installed(cfg_path, filename)
        return str(folder / 'configs' / relative), package

    Config._get_cfg_path = staticmethod(find)

"""What the user of a command line can mend, as one sentence in place of a traceback."""

import pickle
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

__all__ = ['checkpoint_errors', 'errors_as_exit', 'unsafe_checkpoint_error']


@contextmanager
def errors_as_exit() -> Iterator[None]:
    """End the process with the message of an error in a file, an argument or the installed packages; others pass."""
    try:
        yield
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.exit(f'error: {error}')


def unsafe_checkpoint_error(checkpoint: str, error: pickle.UnpicklingError) -> ValueError:
    """Return what to say of a checkpoint that PyTorch's safe loader has refused."""
    return ValueError(
        f'Expected {checkpoint} to hold plain data, but it holds objects that only code can restore: '
        f"{str(error).splitlines()[0]} Checkpoints of these tools and published weights load; MMEngine's own training "
        'checkpoints do not. If, and only if, you trust who made the file, repeat the command with '
        'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 before it.'
    )


@contextmanager
def checkpoint_errors(checkpoint: Path, config: str) -> Iterator[None]:
    """Say what is wrong with an existing file whose weights do not load strictly.

    Args:
        checkpoint: The file.
        config: Name of the config whose model they are loaded into.

    Raises:
        ValueError: It is no checkpoint, holds more than plain data, or holds the weights of another model.
    """
    with checkpoint.open('rb') as file:
        pickled = file.read(1) == b'\x80'  # as PyTorch saved before 1.6
    if not pickled and not zipfile.is_zipfile(checkpoint):
        raise ValueError(
            f'Expected `{checkpoint}` to be a checkpoint, but it is another kind of file, or cut off. Name the .pth '
            'file of a training, or copy it again.'
        )
    try:
        yield
    except pickle.UnpicklingError as error:
        raise unsafe_checkpoint_error(f'`{checkpoint}`', error) from error
    except RuntimeError as error:
        raise ValueError(
            f'Expected `{checkpoint}` to hold the weights of {config}, but they differ: {error} '
            'Name the config that it was trained with.'
        ) from error

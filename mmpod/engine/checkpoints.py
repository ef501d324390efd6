"""Find the checkpoint to resume from, and load checkpoints safely and completely or not at all."""

import logging
import os
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import nn

from mmpod import datasets
from mmpod.utils.config_differences import parse_settings
from mmpod.utils.config_parts import inner_datasets, preprocessor_of, type_name
from mmpod.utils.errors import UserError
from mmpod.utils.image_normalisation import normalisation

__all__ = [
    'check_checkpoint_file',
    'check_same_checkpoint',
    'checkpoint_classes',
    'latest_complete_checkpoint',
    'load_fitting_weights',
    'load_weights',
    'normalisation_error',
    'safe_loading',
]

SAFE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


def latest_complete_checkpoint(work_dir: Path) -> Optional[str]:
    """Return the checkpoint that a run saved last, or None if there is no complete one.

    It is the one that MMEngine names in `last_checkpoint`, or, if that is missing or cut short (a zip archive without
    the directory at its end), the newest complete `epoch_N.pth` or `iter_N.pth` by modification time, because an
    earlier training in the same folder may have gone further.
    """
    record = work_dir / 'last_checkpoint'
    named = record.read_text().strip() if record.is_file() else ''
    if '://' in named:
        return named
    matches = [(path, re.fullmatch(r'(?:epoch|iter)_(\d+)', path.stem)) for path in work_dir.glob('*.pth')]
    numbered = [(path.stat().st_mtime_ns, int(match[1]), path) for path, match in matches if match]
    newest = [path for *_, path in sorted(numbered, reverse=True)]
    # The folder may have been moved or copied since.
    for path in dict.fromkeys([work_dir / Path(named).name, Path(named), *newest]):
        if zipfile.is_zipfile(path):
            return str(path)
        if path.is_file():
            print_log(f'{path} is truncated and will not be resumed from.', logger='current', level=logging.WARNING)
    return None


def check_same_checkpoint(path: Optional[str]) -> None:
    """Raise a UserError in all processes if they would resume from different files. A collective."""
    file = None if path is None else Path(path)
    found = f'{file.name} ({file.stat().st_size} bytes)' if file and file.is_file() else path
    by_process = all_gather_object(found)
    other = next((rank for rank, name in enumerate(by_process) if name != by_process[0]), None)
    if other is not None:
        raise UserError(
            f'Expected all processes to resume from the same checkpoint, but process 0 has {by_process[0]} and '
            f'process {other} has {by_process[other]}. Only the first machine writes checkpoints: put --work-dir on a '
            'disk that all machines see, or copy it from the first to the others.'
        )


def check_checkpoint_file(checkpoint: Union[str, Path]) -> None:
    """Refuse a local path that is not a checkpoint; an address (``https://...``) passes.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: It is another kind of file, or truncated.
    """
    if '://' in str(checkpoint):
        return
    path = Path(checkpoint)
    if not path.is_file():
        raise FileNotFoundError(f'Expected the checkpoint `{path.absolute()}` to be a file, but it does not exist.')
    with path.open('rb') as file:
        pickled = file.read(1) == b'\x80'  # as PyTorch saved before 1.6
    if not pickled and not zipfile.is_zipfile(path):
        raise UserError(
            f'Expected `{path.absolute()}` to be a checkpoint, but it is another kind of file, or truncated. Name the '
            '.pth file of a training run, or copy it again.'
        )


@contextmanager
def safe_loading(checkpoint: object) -> Iterator[None]:
    """Make PyTorch load only plain data from every file, its default since 2.6, and explain why it refused one.

    Raises:
        UserError: ``checkpoint`` contains more than plain data.
    """
    before = os.environ.get(SAFE)
    if 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD' not in os.environ:
        os.environ[SAFE] = '1'
    try:
        yield
    except pickle.UnpicklingError as error:
        raise UserError(
            f'Expected `{checkpoint}` to hold plain data, but it holds objects that only code can restore. Checkpoints '
            "of these tools and published weights load; MMEngine's own training checkpoints do not. If, and only if, "
            'you trust who made the file, set TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 and repeat the command.'
        ) from error
    finally:
        os.environ.pop(SAFE, None)
        if before is not None:
            os.environ[SAFE] = before


def checkpoint_classes(checkpoint: dict) -> Optional[list[str]]:
    """Return the names of the classes that a model was trained on, in the order of its labels; None if not saved."""
    meta = checkpoint.get('meta') or {}
    classes = (meta.get('dataset_meta') or {}).get('classes') or meta.get('CLASSES')  # the latter: mmcls 0.x
    return None if classes is None else list(classes)


def load_weights(model: nn.Module, checkpoint: Union[str, Path], allow_missing: bool = False) -> dict:
    """Load a checkpoint that contains exactly the weights of a classifier.

    Weights that the model recomputes and drops on loading may be absent.

    Args:
        model: The classifier, without wrappers.
        checkpoint: Path or URL.
        allow_missing: Load what fits and leave the rest as it is, even if the normalisation of images has changed.

    Returns:
        dict: The content of the checkpoint.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: It is not a checkpoint, contains more than plain data, has the weights of another model, or was
            trained on images that were normalised differently.
    """
    check_checkpoint_file(checkpoint)
    with safe_loading(checkpoint):
        content = CheckpointLoader.load_checkpoint(str(checkpoint), map_location='cpu')
    difference = load_fitting_weights(model, content)
    if difference and not allow_missing:
        raise incomplete_error(checkpoint, difference)
    if difference:
        print_log(f'Not all weights fit: {difference}', logger='current', level=logging.WARNING)
    error = normalisation_error(model, content, checkpoint)
    if error and not allow_missing:
        raise error
    if error:
        print_log(str(error), logger='current', level=logging.WARNING)
    return content


def incomplete_error(checkpoint: object, difference: str, resume: bool = False) -> UserError:
    """Return the error for a checkpoint whose weights are not exactly those of the model to evaluate or to resume."""
    way_out = (
        'Resume it with the config that it was trained with. To start a new training from the weights that fit, use '
        f'--cfg-options load_from={checkpoint} and another --work-dir.'
        if resume
        else 'Evaluate it with the config that it was trained with. To evaluate it although other weights keep their '
        'initial values, use --allow-missing.'
    )
    return UserError(
        f'Expected `{checkpoint}` to hold exactly the weights of the model, but they differ: {difference}. {way_out}'
    )


def normalisation_error(model: nn.Module, content: dict, checkpoint: object) -> Optional[UserError]:
    """Return the error if a model normalises images differently from the config in its checkpoint, or else None.

    A checkpoint without a readable config passes. The config is parsed as text, and nothing in it is executed.

    Args:
        model: The classifier, without wrappers.
        content: The content of the checkpoint.
        checkpoint: The name of the checkpoint.
    """
    try:
        settings = parse_settings(content['meta']['cfg'])
        trained, now = normalisation(preprocessor_of(settings)), normalisation(model.data_preprocessor)
        data = [leaf for leaf, _ in inner_datasets(settings.get('train_dataloader', {}).get('dataset', {}))]
    except Exception:  # it may be the config of any program
        return None
    if not preprocessor_of(settings):  # mmcls 0.x normalised in the pipeline
        return None
    names = {type_name(leaf) for leaf in data}
    if not trained['to_rgb'] and any(name.startswith('CIFAR') or hasattr(datasets, name) for name in names):
        del now['to_rgb']  # mmpretrain's CIFAR sets deliver RGB, as mmpod's did up to 0.1, and others BGR
    changed = [
        f'{key}={value} instead of {trained[key]}' for key, value in now.items() if not _close(value, trained[key])
    ]
    if not changed:
        return None
    return UserError(
        f'Expected images to be normalised as in the training of `{checkpoint}`, but data_preprocessor has '
        f'{", ".join(changed)}. Evaluate it with the config that it was trained with. To evaluate it on images '
        'normalised in this way, use --allow-missing, which also allows weights to be missing.'
    )


def _close(one: Any, other: Any) -> bool:
    one, other = np.atleast_1d(one), np.atleast_1d(other)
    comparable = one.size == other.size or 1 in (one.size, other.size)
    return comparable and np.allclose(one, other, rtol=1e-2)  # half precision rounds


def load_fitting_weights(model: nn.Module, checkpoint: dict) -> str:
    """Load the weights that fit a model, and describe the others: missing, unknown or of another shape.

    Weights that the model itself drops on loading, such as tables that SwinTransformerV2 derives from the image size,
    do not count as missing, nor do the batch counts of batch norms (unused unless the momentum is None).

    Returns:
        str: Empty if everything fits.
    """
    state = checkpoint.get('state_dict', checkpoint)
    weights: Any = OrderedDict((re.sub(r'^module\.', '', name), value) for name, value in state.items())
    weights._metadata = getattr(state, '_metadata', getattr(model.state_dict(), '_metadata', None))
    dropped = set(model.load_state_dict(model.state_dict(), strict=False).missing_keys)
    try:
        missing, unknown = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # of another shape: PyTorch names each in a line
        return _shortened([line.strip(' \t.') for line in str(error).splitlines()[1:]], '; ')
    missing = [name for name in missing if name not in dropped and not name.endswith('num_batches_tracked')]
    parts = [
        f'{len(names)} {what} ({_shortened(names)})'
        for names, what in ((missing, 'missing'), (unknown, 'unknown to the model'))
        if names
    ]
    return ', '.join(parts)


def _shortened(names: Sequence[str], separator: str = ', ', shown: int = 3) -> str:
    return separator.join(names[:shown]) + (f' and {len(names) - shown} more' if len(names) > shown else '')

"""User errors of the command lines, reported as one sentence instead of a traceback."""

import difflib
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional
from urllib.error import URLError

from mmpod.utils.paths import TOOLS

__all__ = ['UserError', 'did_you_mean', 'errors_as_exit', 'user_sentence']

LABELS = (('gt_label',), ('gt_score',))
# A frame in the text of a traceback. PyTorch appends the traceback of a loader's worker to the message.
FRAME = re.compile(r'File "(.+)", line \d+, in .+\n +(.+)')
OWN_FOLDERS = (str(Path(__file__).resolve().parents[1]), str(TOOLS.resolve()))


class UserError(ValueError):
    """A mistake in a config, a file or an option: one sentence that says what is wrong and how to fix it."""


@contextmanager
def errors_as_exit() -> Iterator[None]:
    """On an error that the user can fix, exit with one sentence as the last line of output.

    A bug keeps its traceback; :func:`user_sentence` tells the two apart.
    """
    try:
        yield
    except KeyboardInterrupt:
        print('Interrupted. A training continues with --resume; without it, it starts again.', file=sys.stderr)
        sys.exit(130)  # the exit status of shells for SIGINT
    except Exception as error:
        sentence = user_sentence(error)
        if sentence is None:
            raise
        sys.exit(f'error: {sentence}')


def user_sentence(error: Exception) -> Optional[str]:
    """Return the message for the user of a command line, or None for a bug.

    User errors are:

    - ``UserError``;
    - ``OSError`` and ``ImportError``: a file or a package that is missing or cannot be read;
    - what mmpod refuses: a ``TypeError``, ``ValueError`` or ``ArithmeticError`` from a ``raise`` statement of mmpod or
      its tools, not from a failed operation;
    - images without labels, if a metric needs them;
    - a training batch of one image that reaches a batch norm of vectors;
    - images of different sizes in a batch;
    - what MMEngine's registry cannot build from the config: an unknown ``type``, arguments that do not fit, a
      folder without images.
    """
    if isinstance(error, KeyError) and error.args in LABELS:
        return (
            f'Expected the images to have labels, which a metric needs, but they have no `{error.args[0]}`. For an '
            'unlabelled set, leave the metrics out: --cfg-options test_evaluator=[] --out predictions.pkl.'
        )
    if isinstance(error, TypeError) and isinstance(error.__context__, TypeError):
        if traceback.extract_tb(error.__traceback__)[-1].name == 'call_hook':
            error = error.__context__  # MMEngine adds the name of the hook and raises it again
    text = _message(error)
    if isinstance(error, ValueError) and text.startswith('Expected more than 1 value per channel when training'):
        return (
            'Expected at least 2 images in every training batch for a batch norm of pooled features, but one has 1. '
            'Set train_dataloader.drop_last=True, or raise train_dataloader.batch_size if it is 1.'
        )
    if isinstance(error, RuntimeError) and 'stack expects each tensor to be equal size' in text:
        return (
            f'Expected all images of a batch to have one size, but {text[text.index("got") :]}. Resize them in the '
            "pipeline, for example with dict(type='Resize', scale=(32, 32))."
        )
    if isinstance(error, URLError):
        return f'Expected to download a file, but got: {error.reason}. Check the connection, or name a local copy.'
    if isinstance(error, OSError) and isinstance(error.filename, str):
        return f'{error.strerror}: `{os.path.abspath(error.filename)}`'
    if isinstance(error, (UserError, OSError, ImportError)) or _refused_by_mmpod(error):
        return text
    return _unbuildable(error, text)


def did_you_mean(name: str, choices: Iterable[str], cutoff: float = 0.8) -> Optional[str]:
    """Return the choice that ``name`` most likely misspells, ignoring case, or None if none is close.

    Examples:
        >>> did_you_mean('optim_wraper', ['optim_wrapper', 'model'])
        'optim_wrapper'
        >>> did_you_mean('PodLoss', ['PODLoss', 'AMSoftmaxLoss'])
        'PODLoss'
    """
    by_lower_case = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=cutoff)
    return by_lower_case[close[0]] if close else None


def _message(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if 'Original Traceback' in text:  # from a worker of a data loader; its last line is the message
        text = re.sub(r'^[\w.]+: ', '', text.strip().splitlines()[-1])  # without the name of the error
    return text.strip() or type(error).__name__


def _refused_by_mmpod(error: BaseException) -> bool:
    refusal = isinstance(error, (TypeError, ValueError, ArithmeticError))
    return refusal and _raising_file(error).startswith(OWN_FOLDERS)


def _raising_file(error: BaseException) -> str:
    """Return the file whose `raise` statement an error comes from; empty if an operation failed."""
    frames = [(frame.filename, frame.line or '') for frame in traceback.extract_tb(error.__traceback__)]
    file, line = [*frames, *FRAME.findall(str(error))][-1]
    return os.path.abspath(file) if line.startswith('raise') else ''


def _unbuildable(error: Exception, text: str) -> Optional[str]:
    refused = isinstance(error, RuntimeError) and _raising_file(error)  # such as a folder without images
    if not refused and not isinstance(error, (AssertionError, KeyError, TypeError, ValueError)):
        return None
    builds = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == 'build_from_cfg']
    if not builds:
        return None
    scope = builds[-1].f_locals  # the local variables of the innermost call: what could not be built
    kind, registry = scope.get('obj_type'), scope['registry']
    if isinstance(error, KeyError) and isinstance(kind, str) and scope.get('obj_cls') is None:
        names = {*registry.module_dict, *registry.root.module_dict}
        for child in registry.root.children.values():
            names |= {f'{child.scope}.{name}' for name in child.module_dict}
        guess = did_you_mean(kind, names)
        way_out = f'Did you mean {guess!r}?' if guess else 'If it is your own, import its module with custom_imports.'
        return f'Expected `type` to be the name of a registered {registry.name}, but got {kind!r}. {way_out}'
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', kind)
    inherited = '. If an inherited config sets it, add `_delete_=True` beside `type`.'
    return f'{name} cannot be built from the config: {text}{inherited if "unexpected keyword" in text else ""}'

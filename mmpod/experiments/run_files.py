"""The files of a training run: its record, curves and final metrics, and the state that follows from them."""

import fcntl
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, TextIO

from mmpod.experiments.metrics import METRIC, final_metric
from mmpod.utils.files import replaced

__all__ = ['Run', 'choose_metric', 'default_metric']

NOT_METRICS = ('data_time', 'time', 'step')  # logged with the metrics of a validation
WAY_OUT = 'Restore it from a copy, or move the run away and repeat it.'


@dataclass(frozen=True)
class Run:
    """One training (or evaluation) of a config with a seed, as described by its work directory."""

    name: str  # name to compare by, that of the config
    seed: int
    work_dir: Path  # with `run.json`, `train.log`, MMEngine's logs and checkpoints, `metrics.json` (of the final test)
    setting: str = ''  # distinguishes runs of one config, such as `lr=0.1`

    @property
    def label(self) -> str:
        """Name, setting and seed, for messages."""
        return ' '.join(word for word in (self.name, self.setting, f'seed {self.seed}') if word)

    @property
    def record(self) -> dict:
        """`run.json`: commands, config, versions, ``wall_s``, ``finished``, ``failed``; empty before it starts."""
        path = self.work_dir / 'run.json'
        return _parse_object(path.read_bytes(), str(path)) if path.is_file() else {}

    def save(self, record: dict) -> None:
        """Write `run.json` atomically."""
        with replaced(self.work_dir / 'run.json') as file:
            file.write((json.dumps(record, indent=2) + '\n').encode())

    def start_over(self) -> None:
        """Move the record and the logs of starts with other settings into `earlier/`, where they are ignored."""
        for path in [*self.work_dir.glob('run.json'), *(path.parent for path in self.work_dir.glob('*/vis_data'))]:
            (self.work_dir / 'earlier').mkdir(exist_ok=True)
            path.replace(self.work_dir / 'earlier' / path.name)

    @property
    def state(self) -> str:
        """``'not run'``, ``'running'``, ``'interrupted'`` (it will continue where it stopped), ``'failed'`` or
        ``'done'``.

        Nothing is written, so this also works in a read-only folder. A running run is recognised by its lock, which the
        kernel releases when its last process ends, for whatever reason.
        """
        record = self.record
        if record.get('finished'):
            return 'done'
        if not record:
            return 'not run'
        if self._is_locked():
            return 'running'
        return 'failed' if record.get('failed') else 'interrupted'

    def acquire(self) -> Optional[TextIO]:
        """Take the run's lock, which is held until all processes that inherited the returned file have closed it.

        Returns:
            TextIO: The lock, or None if another process holds it.
        """
        self.work_dir.mkdir(parents=True, exist_ok=True)
        file = (self.work_dir / 'lock').open('a')
        for _ in range(5):  # reading `state` holds it for a moment
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                time.sleep(0.05)
        file.close()
        return None

    def _is_locked(self) -> bool:
        try:
            with (self.work_dir / 'lock').open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # there is no lock file, or it is not readable
            return False
        return False

    def curves(self) -> dict[str, dict[int, Any]]:
        """Return all validation metrics by epoch, over all starts of the run; the last start with an epoch counts.

        Raises:
            ValueError: A log is damaged. An unfinished last line, as a killed run leaves it, is ignored.
        """
        found: dict[str, dict[int, Any]] = {}
        for entry in self._entries():
            if 'iter' not in entry:  # otherwise it is of the training
                for name in entry:
                    if name not in NOT_METRICS:
                        found.setdefault(name, {})[entry['step']] = entry[name]
        return {name: dict(sorted(curve.items())) for name, curve in found.items()}

    def curve(self, metric: str = METRIC) -> dict[int, float]:
        """Return a metric of :meth:`curves`, empty if it was not measured."""
        return self.curves().get(metric, {})

    def metrics(self) -> dict[str, Any]:
        """Return the metrics of the last epoch, from the final test, or from the last validation if there was no test.

        They are numbers, or lists with one per class.

        Raises:
            ValueError: The file or a log is damaged.
        """
        path = self.work_dir / 'metrics.json'
        if path.is_file():
            return _parse_object(path.read_bytes(), str(path))
        curves = self.curves()
        last = max((epoch for curve in curves.values() for epoch in curve), default=None)
        return {name: curve[last] for name, curve in curves.items() if last in curve}

    def final(self, metric: str = METRIC) -> Optional[float]:
        """Return a metric after the last epoch, see :func:`final_metric`."""
        return final_metric(self.metrics(), metric)

    def _entries(self) -> Iterator[dict]:
        """Yield the entries of MMEngine's logs, oldest start first."""
        for path in sorted(self.work_dir.glob('*/vis_data/scalars.json')):
            lines = path.read_bytes().split(b'\n')
            for number, line in enumerate(lines, 1):
                try:
                    if line.strip():
                        yield _parse_entry(line, f'{path}, line {number},')
                except ValueError:
                    if number < len(lines):  # otherwise an unfinished last line of a killed run
                        raise


def default_metric(runs: Sequence[Run]) -> str:
    """Return accuracy/top1 if runs have logged it, otherwise the first metric that they have logged as one number."""
    curves = [item for run in runs for item in run.curves().items()]
    logged = [name for name, curve in curves if not isinstance(next(iter(curve.values())), list)]
    return METRIC if METRIC in logged or not logged else logged[0]


def choose_metric(runs: Sequence[Run], asked: Optional[str] = None) -> str:
    """Return the metric to compare finished runs by: the one asked for, or :func:`default_metric`.

    Raises:
        ValueError: No run has measured it.
    """
    metric = asked or default_metric(runs)
    if runs and all(run.final(metric) is None for run in runs):
        known = dict.fromkeys(name for run in runs for name in (*run.metrics(), *run.curves()))
        raise ValueError(
            f'Expected runs that report {metric}, but they report {", ".join(known) or "nothing"}. Repeat the command '
            'with another --metric; finished runs are kept.'
        )
    return metric


def _parse_entry(line: bytes, where: str) -> dict:
    entry = _parse_object(line, where)
    if not isinstance(entry.get('step'), int) or None in entry.values():
        raise ValueError(f'Expected {where} to have a step and numbers, but it is {str(entry)[:80]}. {WAY_OUT}')
    return entry


def _parse_object(text: bytes, where: str) -> dict:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'Expected {where} to be a JSON object, but it is damaged ({error}). {WAY_OUT}') from error
    if not isinstance(value, dict):
        shown = text[:40].decode(errors='replace')
        raise ValueError(f'Expected {where} to be a JSON object, but it is {shown}. {WAY_OUT}')
    return value

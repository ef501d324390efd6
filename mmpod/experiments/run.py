"""What a training run leaves behind: its record, its curves, its final metrics, and from these its state."""

import fcntl
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, TextIO

__all__ = ['METRIC', 'Run', 'number_format', 'unit']

METRIC = 'accuracy/top1'
PERCENTAGES = ('accuracy', 'cosine', 'gda', 'multi-label', 'single-label')
NOT_METRICS = ('data_time', 'time', 'step')  # logged beside the metrics of a validation
WAY_OUT = 'Restore it from a copy, or move the run away and repeat it.'


def unit(metric: str) -> str:
    """Return what is written after the name of a metric."""
    return ', %' if metric.partition('/')[0] in PERCENTAGES else ''


def number_format(metric: str) -> str:
    """Return the format of its values: two digits of a percentage, four significant ones of anything else."""
    return '.2f' if unit(metric) else '.4g'


@dataclass(frozen=True)
class Run:
    """One training (or evaluation) of one config with one seed, as its work directory describes it."""

    name: str  # what is compared, the config's name
    seed: int
    work_dir: Path  # with `run.json`, `train.log`, MMEngine's logs and checkpoints, `metrics.json` (of the final test)
    setting: str = ''  # tells it from other runs of its config, such as `lr=0.1`; only shown

    @property
    def label(self) -> str:
        """Name, setting and seed, for messages."""
        return ' '.join(word for word in (self.name, self.setting, f'seed {self.seed}') if word)

    @property
    def record(self) -> dict:
        """`run.json`: commands, config, versions, ``wall_s``, ``finished``, ``failed``; empty before a start."""
        path = self.work_dir / 'run.json'
        return _parse_object(path.read_bytes(), str(path)) if path.is_file() else {}

    def save(self, record: dict) -> None:
        """Write `run.json` atomically."""
        self.work_dir.mkdir(parents=True, exist_ok=True)
        temporary = self.work_dir / 'run.json.new'
        temporary.write_text(json.dumps(record, indent=2) + '\n')
        temporary.replace(self.work_dir / 'run.json')

    @property
    def state(self) -> str:
        """``'not run'``, ``'running'``, ``'interrupted'`` (it will continue where it stopped), ``'failed'`` or
        ``'done'``.

        Nothing is written, so it also works in a read-only folder. A running run is recognised by its lock, which the
        kernel releases with the last of its processes, however they end.
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
        """Take the run's lock, which lasts until the returned file is closed by all processes that inherited it.

        Returns:
            TextIO: The lock, or None where another process holds it.
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
        except OSError:  # there is no lock file, or we may not look into it
            return False
        return False

    def curve(self, metric: str = METRIC) -> dict[int, float]:
        """Return a metric of validation by epoch, over all starts of the run; a resumed epoch replaces the earlier one.

        Raises:
            ValueError: A log is damaged. The line that a killed run left unfinished at the end of its log is ignored.
        """
        return dict(sorted((entry['step'], entry[metric]) for entry in self._entries() if metric in entry))

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the last epoch: of the final test, or where there was none, of the last validation.

        Raises:
            ValueError: The file or a log is damaged.
        """
        path = self.work_dir / 'metrics.json'
        if path.is_file():
            return _parse_object(path.read_bytes(), str(path))
        by_epoch: dict[int, dict] = {}
        for entry in self._entries():
            if 'lr' not in entry and 'loss' not in entry:
                by_epoch.setdefault(entry['step'], {}).update(entry)
        last = by_epoch[max(by_epoch)] if by_epoch else {}
        return {name: value for name, value in last.items() if name not in NOT_METRICS}

    def final(self, metric: str = METRIC) -> Optional[float]:
        """Return a metric after the last epoch, None where it was not measured; of an evaluation that fits a classifier
        afterwards, that classifier's (``gda/top1`` for ``accuracy/top1``).
        """
        metrics = self.metrics()
        return metrics.get(metric.replace('accuracy/', 'gda/', 1), metrics.get(metric))

    def _entries(self) -> Iterator[dict]:
        """Yield what MMEngine logged, oldest start first."""
        for path in sorted(self.work_dir.glob('*/vis_data/scalars.json')):
            lines = path.read_bytes().split(b'\n')
            for number, line in enumerate(lines, 1):
                try:
                    if line.strip():
                        yield _parse_entry(line, f'{path}, line {number},')
                except ValueError:
                    if number < len(lines):  # else the line that a killed run left unfinished
                        raise


def _parse_entry(line: bytes, where: str) -> dict:
    entry = _parse_object(line, where)
    if not isinstance(entry.get('step'), int) or None in entry.values():
        raise ValueError(f'Expected {where} to have a step and numbers, but it is {str(entry)[:80]}. {WAY_OUT}')
    return entry


def _parse_object(text: bytes, where: str) -> dict:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = 'is nested too deeply' if isinstance(error, RecursionError) else f'is damaged ({error})'
        raise ValueError(f'Expected {where} to be a JSON object, but it {reason}. {WAY_OUT}') from error
    if not isinstance(value, dict):
        shown = text[:40].decode(errors='replace')
        raise ValueError(f'Expected {where} to be a JSON object, but it is {shown}. {WAY_OUT}')
    return value

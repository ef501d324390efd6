"""What a training run leaves behind: its record, its curve, its final metrics, and from these its state."""

import fcntl
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, TextIO

__all__ = ['METRIC', 'Run']

METRIC = 'accuracy/top1'


@dataclass(frozen=True)
class Run:
    """One training (or evaluation) of one config with one seed, as its work directory tells it.

    Attributes:
        name: What is compared, the config's name.
        seed: Seed of the run.
        work_dir: Where the run writes: ``run.json`` (the record), ``train.log``, MMEngine's logs and checkpoints, and
            ``metrics.json`` (the final metrics of the test set).
    """

    name: str
    seed: int
    work_dir: Path

    @property
    def record(self) -> dict:
        """The content of `run.json`: commands, versions, ``wall_s``, ``finished``, ``failed``; empty before a start."""
        path = self.work_dir / 'run.json'
        return json.loads(path.read_text()) if path.is_file() else {}

    def save(self, record: dict) -> None:
        """Write `run.json`, whole or not at all."""
        self.work_dir.mkdir(parents=True, exist_ok=True)
        temporary = self.work_dir / 'run.json.new'
        temporary.write_text(json.dumps(record, indent=2) + '\n')
        temporary.replace(self.work_dir / 'run.json')

    @property
    def state(self) -> str:
        """``'not run'``, ``'running'``, ``'interrupted'`` (it will go on where it stopped), ``'failed'`` or ``'done'``.

        A run whose processes were killed counts as interrupted at once: what tells that it is running is a lock, which
        the kernel gives up with the last of its processes.
        """
        record = self.record
        if record.get('finished'):
            return 'done'
        if not record:
            return 'not run'
        lock = self.acquire()
        if lock is None:
            return 'running'
        lock.close()
        return 'failed' if record.get('failed') else 'interrupted'

    def acquire(self) -> Optional[TextIO]:
        """Take the run's lock, which lasts until the returned file is closed by all processes that inherited it.

        Returns:
            TextIO: The lock, or None where another process holds it.
        """
        self.work_dir.mkdir(parents=True, exist_ok=True)
        file = (self.work_dir / 'lock').open('a')
        for _ in range(5):  # somebody's look at `state` holds it for a moment
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                time.sleep(0.05)
        file.close()
        return None

    def accuracies(self) -> dict[int, float]:
        """Return the validation accuracy (%) by epoch, see :meth:`curve`."""
        return self.curve(METRIC)

    def curve(self, metric: str) -> dict[int, float]:
        """Return a metric of validation by epoch, over all starts of the run; a resumed epoch counts as redone."""
        by_epoch = {}
        for path in sorted(self.work_dir.glob('*/vis_data/scalars.json')):
            for line in path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:  # the line that a killed run left unfinished
                    continue
                if metric in entry:
                    by_epoch[entry['step']] = entry[metric]
        return dict(sorted(by_epoch.items()))

    @property
    def accuracy(self) -> Optional[float]:
        """The accuracy (%) after the last epoch; of an evaluation, that of the classifier fitted afterwards.

        None where something else was measured.
        """
        metrics = self.metrics()
        return metrics.get('gda/top1', metrics.get(METRIC))

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the last epoch: of the final test, or where there was none, of the last validation."""
        path = self.work_dir / 'metrics.json'
        if path.is_file():
            return json.loads(path.read_text())
        curve = self.accuracies()
        return {METRIC: list(curve.values())[-1]} if curve else {}

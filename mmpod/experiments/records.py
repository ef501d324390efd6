"""Records of finished runs in `results/`: one file per study, with one line of JSON per run."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

from mmpod.experiments.metrics import METRIC, final_metric
from mmpod.experiments.run_files import Run
from mmpod.experiments.studies.catalogue import setting_of
from mmpod.experiments.studies.definitions import Setting

__all__ = ['Record', 'by_setting', 'collect', 'pack', 'read_file', 'read_results']


@dataclass(frozen=True)
class Record:
    """A finished run, one line of a file. `results/README.md` explains the fields."""

    study: str
    setting: str
    config: Optional[str]  # without `.py`, relative to `configs/`; empty or None if it was not shipped
    overrides: Sequence[str]  # its changes to the config, `key=value`
    seed: int
    versions: dict[str, Optional[str]]  # of packages and of Python; `git` is mmpod's revision
    device: str
    commands: Sequence[str]
    date: Optional[str]  # of its start; None if unknown
    wall_s: Optional[float]  # duration in seconds; None if unknown
    curves: dict[str, dict[str, float]]  # validation metrics by epoch
    metrics: dict[str, Any]  # of the test, or else of the last validation: numbers, or lists with one per class
    config_hash: Optional[str]  # of the resolved config; None in runs from before hashes were introduced

    def __post_init__(self) -> None:
        """Refuse a line of a file whose numbers are not where they belong."""
        if type(self.seed) is not int or not isinstance(self.metrics, dict) or not all(self.curves.values()):
            raise TypeError('a seed, metrics or a curve is missing')

    @property
    def key(self) -> tuple[str, str, int]:
        """A key that is unique among all runs."""
        return self.study, self.setting, self.seed

    def curve(self, metric: str = METRIC) -> dict[int, float]:
        """Return a validation metric by epoch."""
        return {int(epoch): value for epoch, value in self.curves.get(metric, {}).items()}

    def final(self, metric: str) -> Optional[float]:
        """Return a metric after the last epoch, see :func:`final_metric`."""
        return final_metric(self.metrics, metric)


def read_file(path: Path) -> list[Record]:
    """Return the runs of one file.

    Raises:
        ValueError: A line is damaged, or a run occurs twice; the message has the number of the line.
    """
    records: dict[tuple[str, str, int], Record] = {}
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        try:
            record = Record(**json.loads(line))
        except (json.JSONDecodeError, TypeError) as error:
            raise ValueError(
                f'Expected line {number} of {path} to be a run, but it is damaged ({error}). Restore it from git, or '
                'delete the line and pack the run again.'
            ) from error
        if record.key in records:
            raise ValueError(
                f'Expected each run once in {path}, but lines {list(records).index(record.key) + 1} and {number} are '
                f'both {record.study}/{record.setting} with seed {record.seed}. Delete one of them.'
            )
        records[record.key] = record
    return list(records.values())


def read_results(folder: Path) -> dict[str, list[Record]]:
    """Return the runs of all files in a folder; see :func:`read_file` and :func:`by_setting`."""
    return by_setting(record for path in sorted(folder.glob('*.jsonl')) for record in read_file(path))


def by_setting(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return runs by setting, ``study/name``, each sorted by seed.

    Raises:
        ValueError: A study or setting is unknown.
    """
    found: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.seed):
        found.setdefault(setting_of(f'{record.study}/{record.setting}').key, []).append(record)
    return found


def collect(work_dir: Path) -> list[Record]:
    """Return the finished runs in a work directory of `tools/experiments.py run`, ``<study>/<setting>/seed<n>``.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: It contains an unknown study, or a finished run without the record of how it was made.
    """
    if not work_dir.is_dir():
        raise FileNotFoundError(f'Expected {work_dir} to be a folder of runs, but it does not exist.')
    records = []
    for path in sorted(work_dir.glob('*/*/seed*/run.json')):
        setting = setting_of('/'.join(path.relative_to(work_dir).parts[:2]))
        run = Run(setting.name, int(path.parent.name[4:]), path.parent)
        if run.state == 'done':
            records.append(_record_of(setting, run))
    return records


def _record_of(setting: Setting, run: Run) -> Record:
    record = run.record
    versions = dict(record.get('versions', {}))
    origin = {'config_hash': record.get('config_hash'), 'git revision': versions.get('git')}
    missing = ' and no '.join(name for name, value in origin.items() if not value)
    if missing:
        raise ValueError(
            f'Expected {run.work_dir} to say what it ran, but its run.json has no {missing}. Make the run again with '
            '`tools/experiments.py run`, in a clone of mmpod.'
        )
    lacking = [option for option in setting.overrides if option not in record['options']]
    if lacking:
        raise ValueError(
            f'Expected {run.work_dir} to be a run of {setting.key}, but it was made without {" ".join(lacking)}. Make '
            'it again.'
        )
    starts = sorted(path.parent.parent.name for path in run.work_dir.glob('*/vis_data/scalars.json'))
    return Record(
        study=setting.study,
        setting=setting.name,
        config=setting.config,
        overrides=record['options'],
        seed=run.seed,
        device=versions.pop('device'),
        versions=versions,
        commands=[_portable(command) for command in record['commands']],
        date=datetime.strptime(starts[0], '%Y%m%d_%H%M%S').isoformat() if starts else None,
        wall_s=record['wall_s'],
        curves={name: {str(epoch): value for epoch, value in curve.items()} for name, curve in run.curves().items()},
        metrics=run.metrics(),
        config_hash=record['config_hash'],
    )


def _portable(command: str) -> str:
    """Return a command as it is called in any clone, without this machine's folders of mmpod and Python."""
    python, *words = shlex.split(command)
    words = [re.sub(r'/.*/((?:tools|configs)/.+\.py)\b', r'\1', word) for word in words]
    return shlex.join([re.sub(r'^.*/python[\d.]*$', 'python', python), *words])


def pack(work_dir: Path, results: Path) -> tuple[list[Record], list[Record]]:
    """Add the finished runs of a folder to `results/`: all of them, or none if one is refused.

    Args:
        work_dir: Work directory of `tools/experiments.py run`.
        results: Folder of the files.

    Returns:
        tuple[list[Record], list[Record]]: The added runs, and those that were already there with identical numbers.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: A run has no record of how it was made, or a different one of that setting and seed is already
            there.
    """
    known = {record.key: record for records in read_results(results).values() for record in records}
    added: list[Record] = []
    repeated: list[Record] = []
    for record in collect(work_dir):
        if known.get(record.key, record) != record:
            raise ValueError(
                f'Expected {work_dir} to hold new runs, but {results / record.study}.jsonl has another run of '
                f'{record.study}/{record.setting} with seed {record.seed}. Remove one of the two.'
            )
        (repeated if record.key in known else added).append(record)
    results.mkdir(parents=True, exist_ok=True)
    for record in added:
        with (results / f'{record.study}.jsonl').open('a', encoding='utf-8') as file:
            file.write(json.dumps(asdict(record)) + '\n')
    return added, repeated

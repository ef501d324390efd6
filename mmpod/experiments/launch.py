"""What a run will call, worked out before anything starts."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mmengine.config import Config, DictAction

from mmpod.experiments.launcher import Launcher
from mmpod.experiments.run import Run

__all__ = ['Plan', 'skip_if_done', 'format_option_mismatches', 'plan_run']


@dataclass
class Plan:
    """A run to make.

    Attributes:
        run: Where it goes.
        commands: What to call, one after another.
        num_epochs: Epochs of its training, for the time left; 0 for an evaluation.
        details: What `run.json` keeps besides commands and versions, such as the overrides of the config.
        needs: A run that must be done before.
        checkpoint: The file of ``needs`` that is read.
    """

    run: Run
    commands: Sequence[Sequence[str]]
    num_epochs: int
    details: dict = field(default_factory=dict)
    needs: Optional[Run] = None
    checkpoint: Optional[Path] = None

    @property
    def blocked_reason(self) -> str:
        """What stands in the way, as a sentence; empty where nothing does."""
        if self.needs is None:
            return ''
        if self.needs.state != 'done':
            return f'{self.run.name} seed {self.run.seed} needs {self.needs.work_dir}, not done'
        if self.checkpoint is not None and not self.checkpoint.is_file():
            return (
                f'{self.run.name} seed {self.run.seed} needs {self.checkpoint}, but of that finished run only the logs '
                f'are here. Bring the checkpoint, or move {self.needs.work_dir} away to train it again'
            )
        return ''


def parse_overrides(options: Sequence[str]) -> dict:
    """Return ``--cfg-options`` as the runs will read them.

    Raises:
        ValueError: One of them is no ``key=value``, or sets the seed, of which each run has its own.
    """
    for option in options:
        key, separator, _ = option.partition('=')
        if not key or not separator:
            raise ValueError(f'Expected --cfg-options to be KEY=VALUE, but got {option!r}.')
        if key == 'randomness.seed':
            raise ValueError(f'Expected --seeds to set the seeds of the runs, but got --cfg-options {option}.')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def skip_if_done(run: Run, overrides: Sequence[str]) -> bool:
    """Return whether a run is done, and say so, also where it was made with other overrides."""
    if run.state != 'done':
        return False
    others = _other_options(run, overrides)
    print(f'{run.name} seed {run.seed}: finished before, {run.work_dir}' + (f', with {others}' if others else ''))
    return True


def format_option_mismatches(runs: Iterable[tuple[Run, Sequence[str]]]) -> str:
    """Return a note below a table: what was made with other overrides than those beside it; empty where nothing was."""
    notes = dict.fromkeys((run.name, others) for run, wanted in runs if (others := _other_options(run, wanted)))
    lines = [f'- {name}: {others}' for name, others in notes]
    return '\n'.join(['\n\nMade with other options than the command has:\n', *lines]) if lines else ''


def _other_options(run: Run, wanted: Sequence[str]) -> str:
    made = run.record.get('options', wanted)
    more, less = [option for option in made if option not in wanted], [word for word in wanted if word not in made]
    return ', '.join([*more, *(f'not {option}' for option in less)])


def plan_run(
    config: Path,
    run: Run,
    launcher: Launcher,
    overrides: Sequence[str],
    source: Optional[tuple[Path, Run]] = None,
    test: bool = True,
) -> Plan:
    """Return how to train a config and test it, or to evaluate what another run has trained.

    Args:
        config: The leaf.
        run: Where it goes, and its seed.
        launcher: How to start it.
        overrides: ``key=value`` options of the config. The total batch is kept however many processes there are.
        source: For an evaluation, config and run of the training.
        test: Test the last checkpoint after training.

    Raises:
        ValueError: The run was begun with other overrides, the batch cannot be split over the processes, or the config
            is not one of a training by epochs with validation.
    """
    overrides = list(overrides)
    begun = run.record.get('options', overrides)
    if begun != overrides:
        raise ValueError(
            f'Expected --cfg-options to be those that {run.work_dir} was begun with, {begun}, but got {overrides}. '
            'Repeat them, or choose another --work-dir.'
        )
    trained, made_by = source or (config, run)
    cfg = Config.fromfile(trained)
    cfg.merge_from_dict(parse_overrides(overrides))
    missing = [key for key in ('train_dataloader', 'train_cfg', 'val_dataloader', 'val_evaluator') if not cfg.get(key)]
    if missing or 'max_epochs' not in cfg.train_cfg:
        raise ValueError(
            f'Expected {trained} to train by epochs and to validate, but it has no '
            f'{", ".join(missing) or "train_cfg.max_epochs"}. Name a config that `tools/train.py` can run so.'
        )
    batch, rest = divmod(cfg.train_dataloader.batch_size, launcher.processes)
    if rest:
        raise ValueError(
            f'Expected --processes to divide the total batch of {config.stem}, {cfg.train_dataloader.batch_size}, but '
            f'got {launcher.processes}.'
        )
    options = ['--cfg-options', f'randomness.seed={run.seed}', *overrides]
    if launcher.processes > 1:
        options.append(f'train_dataloader.batch_size={batch}')
    commands = [] if source else [launcher.train(config, run.work_dir, options)]
    checkpoint = made_by.work_dir / f'epoch_{cfg.train_cfg.max_epochs}.pth'
    if source or test:
        commands.append(launcher.test(config, checkpoint, run.work_dir, options))
    needed = dict(needs=made_by, checkpoint=checkpoint) if source else {}
    return Plan(run, commands, cfg.train_cfg.max_epochs, dict(options=overrides), **needed)

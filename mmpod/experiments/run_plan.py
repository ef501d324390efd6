"""Plan a run before anything starts: its commands, and whether its settings are those that it was made with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mmpod.experiments.config_hash import resolved_config, settings_hash, settings_of
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.run_files import Run
from mmpod.utils.config_differences import differences

__all__ = ['Plan', 'check_unchanged', 'plan_run']


@dataclass
class Plan:
    """A run to be made."""

    run: Run
    commands: Sequence[Sequence[str]]  # executed one after another
    num_epochs: int  # of its training, to estimate the time left
    details: dict = field(default_factory=dict)  # for `run.json`: overrides, resolved config and its hash
    needs: Optional[Run] = None  # a run that must be finished before this one
    config: Optional[Path] = None  # if it has changed since the plan was made, the run is blocked

    @property
    def blocked_reason(self) -> str:
        """Why the run cannot start, as a sentence; empty if it can."""
        expected = self.details.get('config_hash')
        if self.config is not None and expected is not None:
            cfg = resolved_config(self.config, self.details['options'], fresh=True)
            if settings_hash(settings_of(cfg, self.run.seed)) != expected:
                return f'{self.run.label}: {self.config} has changed since this command started. Start it again'
        if self.needs is not None and self.needs.state != 'done':
            return f'{self.run.label} needs {self.needs.work_dir}, which is not done'
        return ''


def plan_run(
    config: Path,
    run: Run,
    launcher: Launcher,
    overrides: Sequence[str],
    source: Optional[tuple[Path, Run]] = None,
    test: bool = True,
) -> Optional[Plan]:
    """Return how to train a config and test it, or how to evaluate what another run has trained.

    Args:
        config: The config.
        run: The run, with its folder and seed.
        launcher: How to start it.
        overrides: ``key=value`` options of the config. The total batch does not depend on the number of processes.
        source: For an evaluation, the config and the run of the training.
        test: Test the last checkpoint after training.

    Returns:
        Plan: The plan, or None if the run is already done, after printing a line that says so.

    Raises:
        ValueError: The run was made or started with other settings, the batch cannot be split over the processes, or
            the config does not train by epochs with validation.
    """
    settings = settings_of(resolved_config(config, overrides), run.seed)
    check_unchanged(run, settings, run.state == 'running', launcher.processes)
    trained, made_by = source or (config, run)
    cfg = resolved_config(trained, overrides)
    trained_hash = settings_hash(settings_of(cfg, made_by.seed)) if source else None
    if run.record.get('trained_hash', trained_hash) != trained_hash:
        raise ValueError(
            f'Expected {run.label} to have evaluated {trained.stem} as it is now, but {run.work_dir} was made with '
            'other settings of it. Move that folder away, too.'
        )
    if run.state == 'done':
        print(f'{run.label}: already finished in {run.work_dir}')
        return None
    missing = [key for key in ('train_dataloader', 'train_cfg', 'val_dataloader', 'val_evaluator') if not cfg.get(key)]
    if missing or 'max_epochs' not in cfg.train_cfg:
        raise ValueError(
            f'Expected {trained} to train by epochs and to validate, but it has no '
            f'{", ".join(missing) or "train_cfg.max_epochs"}. Choose a config that does.'
        )
    batch = cfg.train_dataloader.get('batch_size')
    if not isinstance(batch, int):
        raise ValueError(
            f'Expected `train_dataloader.batch_size` of {config.stem} to be an integer, but got {batch!r}.'
        )
    if batch % launcher.processes:
        raise ValueError(
            f'Expected --processes to divide the total batch of {config.stem}, {batch}, but got {launcher.processes}.'
        )
    options = ['--cfg-options', f'randomness.seed={run.seed}', *overrides]
    if launcher.processes > 1:
        options.append(f'train_dataloader.batch_size={batch // launcher.processes}')
    num_epochs = cfg.train_cfg.max_epochs
    checkpoint = made_by.work_dir / f'epoch_{num_epochs}.pth'
    commands = [] if source else [launcher.train(config, run.work_dir, options)]
    if source or test:
        commands.append(launcher.test(config, checkpoint, run.work_dir, options))
    details = dict(
        options=list(overrides),
        processes=launcher.processes,
        config=settings,
        config_hash=settings_hash(settings),
        trained_hash=trained_hash,
    )
    return Plan(run, commands, num_epochs, details, made_by if source else None, config)


def check_unchanged(run: Run, settings: dict, is_running: bool, processes: Optional[int] = None) -> None:
    """Refuse a run that was made or started with other settings, unless it saved nothing and has ended.

    Raises:
        ValueError: The settings differ, nothing says what they were, or an unfinished run had more or fewer processes.
    """
    record, saved = run.record, any(run.work_dir.glob('*.pth'))
    if not record and saved:
        raise ValueError(
            f'Expected run.json beside the checkpoints in {run.work_dir}, which tells their settings, but there is '
            'none. Choose another --work-dir, or move that folder away.'
        )
    if saved and not record.get('finished') and processes not in (None, record.get('processes', processes)):
        raise ValueError(
            f'Expected --processes {record["processes"]}, with which {run.label} was started, but got {processes}. '
            f'Continue with as many, or move {run.work_dir} away.'
        )
    if not record or record.get('config_hash') == settings_hash(settings):
        return
    if not record.get('finished') and not saved and not is_running:
        return  # there is nothing to continue from, so it starts over
    state = 'made' if record.get('finished') else 'started'
    raise ValueError(
        f'Expected the config and --cfg-options of {run.label} to be those that {run.work_dir} was {state} with, but '
        f'they have changed since (old -> new): {differences(record.get("config", {}), settings)}. Change them back, '
        'choose another --work-dir, or move that folder away.'
    )

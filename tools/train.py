"""Train a model: ``python tools/train.py CONFIG``, with the arguments of mmpretrain's tool (``--help`` lists them)."""

import argparse
import os
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description='Train a model.')
    parser.add_argument('config', help='config of the training run')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/CONFIG)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from a checkpoint, by default from the last in the work directory, if there is one',
    )
    parser.add_argument('--amp', action='store_true', help='train with automatic mixed precision')
    parser.add_argument('--no-validate', action='store_true', help='do not validate during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the total batch')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin memory in data loaders')
    parser.add_argument('--no-persistent-workers', action='store_true', help='restart the workers in each epoch')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        default=[],
        metavar='KEY=VALUE',
        help='changes to the config; a list is KEY="[a,b]" or KEY=a,b, without blanks',
    )
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by launchers')
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main(args: argparse.Namespace) -> None:
    """Build the Runner and train."""
    # Not at the top: --help need not wait for PyTorch and mmpretrain.
    from mmpod.engine.checkpoints import latest_complete_checkpoint
    from mmpod.engine.command_line import training_config
    from mmpod.engine.loaders import check_total_batch
    from mmpod.engine.runner_session import exit_process, runner_session
    from mmpod.utils.errors import errors_as_exit

    with errors_as_exit():
        cfg = training_config(args)
        with runner_session(cfg) as runner:
            check_total_batch(cfg, runner.model)
            if not cfg.get('resume') and latest_complete_checkpoint(Path(cfg.work_dir)):
                runner.logger.warning(
                    f'{cfg.work_dir} has checkpoints of an earlier training, which this one overwrites. To continue '
                    'that one instead, stop and add --resume.'
                )
            runner.train()
    exit_process()


if __name__ == '__main__':
    main(parse_args())

"""Evaluate a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``, with the arguments of mmpretrain's tool."""

import argparse
import os
from pathlib import Path

# File types that MMEngine can write, by --out-item; None means predictions.
SUFFIXES = dict(metrics=('.json', '.yaml', '.yml', '.pkl', '.pickle'), pred=('.pkl', '.pickle'))


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description='Evaluate a checkpoint.')
    parser.add_argument('config', help='config of the evaluation')
    parser.add_argument('checkpoint', help='file or address of the weights')
    parser.add_argument('--work-dir', help='folder for the log (default: work_dirs/CONFIG)')
    parser.add_argument('--out', help='file for the predictions (.pkl) or the metrics (.json, .yaml, .pkl)')
    parser.add_argument('--out-item', choices=('metrics', 'pred'), help='what to write to --out (default: pred)')
    parser.add_argument('--allow-missing', action='store_true', help='evaluate a checkpoint without all the weights')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        default=[],
        metavar='KEY=VALUE',
        help='changes to the config; a list is KEY="[a,b]" or KEY=a,b, without blanks',
    )
    parser.add_argument('--amp', action='store_true', help='evaluate with automatic mixed precision')
    parser.add_argument('--show-dir', help='folder for images with their predictions')
    parser.add_argument('--show', action='store_true', help='show images with their predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='show every N-th image (default: 1)')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds that a window is shown (default: 2)')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin memory in data loaders')
    parser.add_argument(
        '--tta',
        action='store_true',
        help="average over the views of the config's tta_pipeline and tta_model (default: image and mirror image)",
    )
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by launchers')
    args = parser.parse_args()
    if args.out is None and args.out_item is not None:
        parser.error(f'Expected `--out FILE` with --out-item {args.out_item}, but got none.')
    suffixes = SUFFIXES[args.out_item or 'pred']
    if args.out is not None and Path(args.out).suffix not in suffixes:
        parser.error(f'Expected --out to end in {" or ".join(suffixes)}, but got {args.out}.')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main(args: argparse.Namespace) -> None:
    """Build the Runner, test, and write the requested output."""
    # Not at the top: --help need not wait for PyTorch and mmpretrain.
    import mmengine
    from mmengine.dist import is_main_process
    from mmengine.evaluator import DumpResults

    from mmpod.engine.command_line import evaluation_config
    from mmpod.engine.runner_session import exit_process, runner_session
    from mmpod.utils.errors import errors_as_exit
    from mmpod.utils.files import check_output_file

    with errors_as_exit():
        cfg = evaluation_config(args)
        if args.out:
            check_output_file('--out', Path(args.out))
        with runner_session(cfg) as runner:
            if args.out and args.out_item != 'metrics':
                runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
            metrics = runner.test()
            if args.out and args.out_item == 'metrics' and is_main_process():
                plain = {name: value.tolist() if hasattr(value, 'tolist') else value for name, value in metrics.items()}
                mmengine.dump(plain, args.out)
    exit_process()


if __name__ == '__main__':
    main(parse_args())

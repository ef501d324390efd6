"""Evaluate a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``, with mmpretrain's arguments (see ``--help``)."""

import mmengine
from mmengine.config import Config
from mmengine.evaluator import DumpResults

from mmpod.engine.runner_session import exit_process, host_tool, runner_session


def main() -> None:
    """Parse the command line, build the Runner, test and write what was asked for."""
    tool = host_tool('test')
    args = tool.parse_args()
    if args.out is None and args.out_item is not None:
        raise ValueError(f'Expected `--out FILE` with --out-item {args.out_item}, but got none.')
    cfg = tool.merge_args(Config.fromfile(args.config), args)
    with runner_session(cfg) as runner:
        if args.out and args.out_item != 'metrics':
            runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
        metrics = runner.test()
        if args.out and args.out_item == 'metrics':
            mmengine.dump(metrics, args.out)


if __name__ == '__main__':
    main()
    exit_process()

"""Train a model: ``python tools/train.py CONFIG``, with mmpretrain's arguments (``--help`` lists them)."""

from mmengine.config import Config

from mmpod.engine.runner_session import check_total_batch, exit_process, host_tool, runner_session


def main() -> None:
    """Parse the command line, build the Runner and train."""
    tool = host_tool('train')
    args = tool.parse_args()
    cfg = tool.merge_args(Config.fromfile(args.config), args)
    with runner_session(cfg) as runner:
        check_total_batch(cfg)
        runner.train()


if __name__ == '__main__':
    main()
    exit_process()

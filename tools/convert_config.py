"""Convert a softmax config of mmpretrain to PEDCC and POD Loss, or to another loss, as a short config that inherits it.

    python tools/convert_config.py mmpretrain::resnet/resnet18_8xb32_in1k.py -o pod_resnet18.py
    python tools/convert_config.py my_config.py --loss all -o losses

BASE is a path, a config that a package ships (`mmpretrain::...`), or a name of mmpretrain's model hub. The network runs
once, without weights, to see what reaches its head; weights, CIFAR and MNIST are not downloaded. The head is the
recommended one, with a batch norm that the paper does not have; --paper leaves it out. docs/convert.md has the details.
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config

from mmpod.conversion.config_writer import find_base, read_base, write_converted
from mmpod.conversion.convert import Conversion, plan_conversion, plan_gda
from mmpod.conversion.new_head import NORMS
from mmpod.conversion.target_losses import CENTROID_LOSSES, LOSSES
from mmpod.utils.errors import errors_as_exit


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('base', help='the config to convert')
    parser.add_argument(
        '-o',
        '--output',
        type=Path,
        required=True,
        help='the config to write, NEW.py, or a folder for LOSS_BASE.py, where BASE is without a leading softmax_',
    )
    parser.add_argument(
        '--loss', nargs='+', choices=[*LOSSES, 'all'], default=['pod'], help='one config for each (default: pod)'
    )
    parser.add_argument(
        '--feat-dim', type=int, help='D, at least K - 1; more than 2 K gains little (default: 2 K or more, 256 to 2048)'
    )
    norm = parser.add_mutually_exclusive_group()
    norm.add_argument(
        '--norm',
        choices=NORMS,
        default='bn',
        help='norm between the projection and the scaling to unit length (default: bn)',
    )
    norm.add_argument(
        '--paper',
        dest='norm',
        action='store_const',
        const=None,
        help='as printed in the paper: no norm; for --gda, one covariance per class',
    )
    parser.add_argument('--sc-weight', type=float, default=1.0, help='lambda of POD Loss (default: 1)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the centroids (default: 0)')
    parser.add_argument('--centroids', choices=['pedcc', 'spread'], default='pedcc', help='use spread if K > D + 1')
    parser.add_argument(
        '--in-channels', type=int, help='length of the vector that reaches the head (default: detected)'
    )
    parser.add_argument('--gda', action='store_true', help='also write gda_NEW.py, to test a checkpoint with Gaussians')
    parser.add_argument('--force', action='store_true', help='replace files that exist')
    return parser.parse_args()


def plan_losses(cfg: Config, args: argparse.Namespace) -> dict[str, Conversion]:
    """Return the plan for each loss; for `all`, leave out losses that cannot train this config."""
    plans = {}
    for loss in LOSSES if 'all' in args.loss else dict.fromkeys(args.loss):
        feat_dim = args.feat_dim if loss in CENTROID_LOSSES or args.loss == [loss] else None
        try:
            plans[loss] = plan_conversion(
                cfg, feat_dim, args.sc_weight, args.seed, args.centroids, loss, args.norm, args.in_channels
            )
        except ValueError as error:
            if 'all' not in args.loss or loss == 'pod':
                raise
            print(f'{loss} is left out: {error}')
    return plans


def main() -> None:
    """Convert and write the configs, and print what they do not keep."""
    args = parse_args()
    base = find_base(args.base)
    cfg = read_base(base)
    plans = plan_losses(cfg, args)
    if len(plans) > 1 and args.output.suffix:
        raise ValueError(f'Expected a folder for {len(plans)} losses, but got `{args.output}`. Leave the suffix out.')
    files = []  # output, base, its config, plan, title
    for loss, plan in plans.items():
        output = args.output if args.output.suffix else args.output / f'{loss}_{base.stem.removeprefix("softmax_")}.py'
        files.append((output, base, cfg, plan, LOSSES[loss]))
        if args.gda and (loss in CENTROID_LOSSES or len(plans) == 1):
            converted = plan.apply(cfg)
            gaussians = plan_gda(converted, 'shared' if args.norm else 'class')
            gda = (output.with_name(f'gda_{output.name}'), output, converted, gaussians)
            files.append((*gda, f'Gaussians of its features, to test a checkpoint of {output.name}'))
    for output, *_ in files:
        if output.exists() and not args.force:
            raise FileExistsError(
                f'Expected a new file for the output, but `{output}` exists. Name another, or add --force.'
            )
    for output, original, settings, plan, title in files:
        write_converted(original, settings, plan, output, ['python', 'tools/convert_config.py', *sys.argv[1:]], title)
        head = plan.apply(settings).model.head
        sizes = f' ({head["in_channels"]} channels -> {head["feat_dim"]} dimensions)' if 'feat_dim' in head else ''
        print(f'{output}: {title}{sizes}')
        for note in plan.notes:
            print(f'- {note}')
    if len(files) > 1:
        print(f'Compare them: python tools/compare.py {" ".join(str(output) for output, *_ in files)} --seeds 0 1 2')


if __name__ == '__main__':
    with errors_as_exit():
        main()

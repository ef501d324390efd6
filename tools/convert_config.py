"""Convert a softmax config of mmpretrain to PEDCC and POD Loss: a short config that inherits it.

    python tools/convert_config.py mmpretrain::resnet/resnet18_8xb32_in1k.py -o pod_resnet18.py
    python tools/train.py pod_resnet18.py

BASE is a path, a config that a package ships (`mmpretrain::...`), or a name of mmpretrain's model hub. Nothing is
downloaded; the backbone is built once, without weights, to see what reaches the head. docs/convert.md has the details.
"""

import argparse
import sys
from pathlib import Path

from mmpod.conversion.config_writer import find_base, read_base, write_converted
from mmpod.conversion.plan import plan_conversion
from mmpod.utils.errors import errors_as_exit


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('base', help='the config to convert')
    parser.add_argument('-o', '--output', type=Path, required=True, help='the config to write, NEW.py')
    parser.add_argument('--feat-dim', type=int, help='D, at least K - 1 (default: about 2 K, from 256 to 2048)')
    parser.add_argument('--sc-weight', type=float, default=1.0, help='lambda of POD Loss (default: 1)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the centroids (default: 0)')
    parser.add_argument('--centroids', choices=['pedcc', 'spread'], default='pedcc', help='spread is for K > D + 1')
    parser.add_argument('--force', action='store_true', help='replace NEW.py if it exists')
    return parser.parse_args()


def main() -> None:
    """Convert, write and say what does not come along."""
    args = parse_args()
    if args.output.exists() and not args.force:
        raise FileExistsError(
            f'Expected a new file for the output, but `{args.output}` exists. Name another, or add --force.'
        )
    base = find_base(args.base)
    cfg = read_base(base)
    plan = plan_conversion(cfg, args.feat_dim, args.sc_weight, args.seed, args.centroids)
    write_converted(base, cfg, plan, args.output, ['python', 'tools/convert_config.py', *sys.argv[1:]])
    head = plan.changes['model']['head']
    print(
        f'{args.output}: {head["in_channels"]} channels -> {head["feat_dim"]} dimensions, {head["num_classes"]} classes'
    )
    for note in plan.notes:
        print(f'- {note}')


if __name__ == '__main__':
    with errors_as_exit():
        main()

"""Draw the geometry of a trained model's features: prototypes, class means, cosines and an embedding in 2D.

    python tools/plot_geometry.py configs/small/pod_digits.py CHECKPOINT --out geometry

It writes gram.png, means.png, cosines.png, embedding.png and geometry.json, the numbers of mmpod.FeatureGeometry.
"""

import argparse
import json
from pathlib import Path

from mmpod.engine.checkpoints import checkpoint_classes, load_weights
from mmpod.engine.command_line import read_config
from mmpod.engine.extraction import plain_model
from mmpod.engine.runner_session import runner_session
from mmpod.utils.checks import check_packages
from mmpod.utils.errors import errors_as_exit
from mmpod.visualization.embedding import METHODS
from mmpod.visualization.geometry_plots import collect_features, draw_geometry


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', type=Path, help='the config of the model')
    parser.add_argument('checkpoint', type=Path, help='its weights')
    parser.add_argument('--out', type=Path, required=True, help='folder to write to')
    parser.add_argument(
        '--split', choices=('test', 'train'), default='test', help='set whose features to draw (default: test)'
    )
    parser.add_argument('--method', choices=tuple(METHODS), default='tsne', help='method of the map (default: tsne)')
    parser.add_argument(
        '--samples', type=int, default=2000, help='maximum number of samples in the map (default: 2000)'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the map and its choice of samples (default: 0)')
    parser.add_argument('--allow-missing', action='store_true', help='draw a model without all the weights')
    parser.add_argument('--cfg-options', nargs='+', action='extend', default=[], help='overrides, key=value')
    args = parser.parse_args()
    if args.samples < 4:
        parser.error(f'Expected --samples to be at least 4, but got {args.samples}.')
    return args


def main() -> None:
    """Load the model, extract the features and draw the figures."""
    args = parse_args()
    check_packages(f'--method {args.method}', METHODS[args.method][2])
    cfg = read_config(args.config, args.cfg_options, ('model', 'test_dataloader', 'test_cfg', 'test_evaluator'))
    cfg.work_dir, cfg.load_from, cfg.resume = str(args.out), str(args.checkpoint), False
    with runner_session(cfg) as runner:
        checkpoint = load_weights(plain_model(runner.model), args.checkpoint, args.allow_missing)
        data = collect_features(runner, args.split, checkpoint_classes(checkpoint))
        numbers = draw_geometry(data, args.out, args.method, args.samples, args.seed)
    settings = dict(config=str(args.config), checkpoint=str(args.checkpoint), split=args.split, method=args.method)
    settings.update(seed=args.seed, num_samples=len(data.labels), num_classes=len(data.names))
    (args.out / 'geometry.json').write_text(json.dumps(dict(settings, geometry=numbers), indent=2) + '\n')
    for name, value in numbers.items():
        print(f'{name:20}{value:10.4f}')
    print(f'Written to {args.out.absolute()}')


if __name__ == '__main__':
    with errors_as_exit():
        main()

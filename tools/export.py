"""Export a trained classifier: ``python tools/export.py CONFIG CHECKPOINT --format onnx`` (see ``--help``)."""

import argparse
from pathlib import Path

from mmpod.engine.command_line import read_config
from mmpod.export.formats import FORMATS, export_classifier
from mmpod.utils.errors import errors_as_exit


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description='Export a classifier to one file: pixels in, cosines and labels out.')
    parser.add_argument('config', help='config of the model')
    parser.add_argument('checkpoint', type=Path, help='its weights')
    parser.add_argument('--format', choices=FORMATS, default='onnx')
    parser.add_argument(
        '-o', '--out', type=Path, help="file to write (default: the checkpoint's name with the format's suffix)"
    )
    parser.add_argument(
        '--images', type=Path, help='folder of images, at any depth, to compare on (default: the test set)'
    )
    parser.add_argument(
        '--channel-order', choices=('rgb', 'bgr'), help='channel order of images in the data_preprocessor, if unknown'
    )
    parser.add_argument(
        '--tolerance',
        type=float,
        default=1e-4,
        help='largest difference allowed, divided by max(1, largest output) (default: 1e-4)',
    )
    parser.add_argument('--allow-missing', action='store_true', help='export without all the weights')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], help='changes to the config, key=value'
    )
    return parser.parse_args()


def main() -> None:
    """Export the model and print what was written."""
    options = vars(parse_args())
    cfg = read_config(options.pop('config'), options.pop('cfg_options'))
    facts = export_classifier(cfg, **options)
    print(
        f'{facts["file"]}: {", ".join(facts["outputs"])}; largest difference from the model '
        f'{facts["largest_difference"]:.1e} ({facts["compared_on"]}). The rest is in {facts["file"]}.json.'
    )


if __name__ == '__main__':
    with errors_as_exit():
        main()

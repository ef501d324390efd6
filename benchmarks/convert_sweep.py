"""Convert every single-label classification config that mmpretrain ships, build it, take one step and predict.

    python benchmarks/convert_sweep.py run results/benchmarks/convert_sweep.csv     # continues after an interrupt
    python benchmarks/convert_sweep.py table results/benchmarks/convert_sweep.csv   # writes docs/generated/convert.md

A config counts as converted if `tools/convert_config.py`'s file loads, the model builds with its own initialisation
(no weights are fetched), one training step of two generated images through the config's batch augmentations and
optimizer gives a finite loss and a gradient for every trainable parameter that has one in the original, and a
prediction is a class and K scores in (0, 1). Images are 64 x 64 if the backbone accepts this size, otherwise as in the
config. If two images fail, eight are used: from two, the head's batch norm can only make plus and minus one. Each
config runs in its own process, so that a killed one also gives a row; configs with the same model, augmentation and
parameter groups share one run. `--part 0/2` and `--part 1/2` split the work between two terminals.
"""

import argparse
import csv
import hashlib
import itertools
import json
import multiprocessing
import resource
import tempfile
import time
import zlib
from functools import lru_cache
from pathlib import Path

import mmpretrain
import torch
from convert_step import step
from convert_table import FIELDS, write_table
from mmengine.config import Config, utils
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.utils import get_installed_path

from mmpod.conversion.config_writer import read_base, write_converted
from mmpod.conversion.convert import plan_conversion
from mmpod.conversion.eligibility import check_convertible
from mmpod.conversion.head_input import head_input
from mmpod.conversion.trial_batches import image_sizes

CONFIGS = Path(get_installed_path('mmpretrain')) / '.mim' / 'configs'
TABLE = Path(__file__).resolve().parents[1] / 'docs' / 'generated' / 'convert.md'
MANY_CLASSES, TIMEOUT = 4096, 1800


def examine(name: str, folder: Path) -> dict:
    """Return the row of one config; an exception is its failure."""
    base, output = CONFIGS / name, folder / 'converted.py'
    cfg = read_base(base)
    plan = plan_conversion(cfg)
    write_converted(base, cfg, plan, output, ['benchmarks/convert_sweep.py'])
    head, changes = plan.changes['model']['head'], plan.changes['model']
    row = dict(
        in_channels=head['in_channels'],
        feat_dim=head['feat_dim'],
        change=', '.join([n['type'] for n in changes.get('neck', [])[-1:]] + ['backbone'] * ('backbone' in changes)),
        notes=' '.join(plan.notes),
    )
    converted = plan.apply(cfg)  # which write_converted has found equal to what it wrote
    if head['num_classes'] > MANY_CLASSES:
        converted.model.head.update(num_classes=1000, feat_dim=2048)
        row['reduced'] = 'K = 1000'
    sizes = [(64, 64), *image_sizes(cfg)]
    model = dict(converted.model, head=cfg.model.head)  # the new head would compute its centroids for each size
    for size, images in itertools.product(sizes, (2, 8)):
        try:
            head_input(converted, model, [size])  # shapes only: not all backbones take all sizes
            return dict(row, **step(converted, cfg, size, images), image='x'.join(map(str, size)), batch=images)
        except Exception as error:
            failure = error
    raise failure


def worker(name: str, connection) -> None:
    """Send the row of one config, in its own process."""
    try:
        cfg = read_base(CONFIGS / name)
        check_convertible(cfg.model)
    except ValueError as error:
        connection.send(dict(result='refused', reason=str(error)))
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            row = dict(examine(name, Path(folder)), result='ok')
        except Exception as error:
            row = dict(result='failed', reason=f'{type(error).__name__}: {error}'.replace('\n', ' ')[:500])
    row['peak_mib'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    connection.send(row)


def run_apart(name: str) -> dict:
    """Return the row of one config from its own process; a killed or stuck one counts as a failure."""
    context = multiprocessing.get_context('fork')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=worker, args=(name, sender))
    start = time.time()
    process.start()
    sender.close()
    try:
        row = receiver.recv() if receiver.poll(TIMEOUT) else dict(result='failed', reason=f'longer than {TIMEOUT} s')
    except EOFError:
        row = dict(result='failed', reason='killed, probably because it ran out of memory')
    process.kill()
    process.join()
    return dict(row, seconds=f'{time.time() - start:.0f}')


def candidates() -> list[tuple[str, dict, str]]:
    """Return name, first columns and key of every config that predicts one of K classes, or cannot be loaded."""
    found = []
    for path in sorted(CONFIGS.rglob('*.py')):
        name = path.relative_to(CONFIGS).as_posix()
        if '_base_' in path.parts:
            continue
        try:
            cfg = Config.fromfile(path)
        except Exception as error:
            reason = f'mmpretrain cannot load it: {type(error).__name__}: {error}'.replace('\n', ' ')[:200]
            found.append((name, dict(backbone='', head='', result='unreadable', reason=reason), name))
            continue
        model = cfg.get('model') or {}
        head = (model.get('head') or {}).get('type')
        if model.get('type') != 'ImageClassifier':
            continue
        groups = [cfg.get('optim_wrapper', {}).get(key) for key in ('constructor', 'paramwise_cfg', 'clip_grad')]
        key = json.dumps([model, cfg.get('data_preprocessor'), groups], sort_keys=True, default=str)
        first = dict(
            backbone=model.backbone.type, head=head or 'none', num_classes=(model.get('head') or {}).get('num_classes')
        )
        found.append((name, first, hashlib.sha256(key.encode()).hexdigest()[:12]))
    return found


def run(path: Path, part: int, parts: int) -> None:
    """Append the rows that are missing in ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(','.join(FIELDS) + '\n')
    # Read once, not by every process: mmengine loads all metafiles of mmpretrain for each base that it ships.
    utils._get_cfg_metainfo = lru_cache(maxsize=None)(utils._get_cfg_metainfo)
    with tempfile.TemporaryDirectory() as folder:
        examine('resnet/resnet18_8xb16_cifar10.py', Path(folder))
    rows = list(csv.DictReader(path.open()))
    done, known = {row['config'] for row in rows}, {row['model']: row for row in rows if row['model']}
    for name, first, key in candidates():
        if name in done or zlib.crc32(key.encode()) % parts != part:
            continue
        if 'result' in first:
            row = first
        elif key in known:
            row = dict(known[key], same_as=known[key]['config'])
        else:
            row = known[key] = dict(first, **run_apart(name), config=name)
        row = dict(row, config=name, model=key, mmpretrain=mmpretrain.__version__, torch=torch.__version__)
        with path.open('a', newline='') as file:
            csv.DictWriter(file, FIELDS, lineterminator='\n').writerow({field: row.get(field, '') for field in FIELDS})
        print(name, row['result'], row.get('reason', ''), row.get('seconds', ''), flush=True)


def main() -> None:
    """Parse the command line and run or tabulate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('action', choices=['run', 'table'])
    parser.add_argument('csv', type=Path)
    parser.add_argument('--part', default='0/1', help='I/N: the I-th of N parts (default: 0/1, all)')
    args = parser.parse_args()
    torch.set_num_threads(1)
    init_default_scope('mmpretrain')
    MMLogger.get_instance('sweep', log_level='WARNING')
    if args.action == 'table':
        write_table(args.csv, TABLE)
    else:
        run(args.csv, *map(int, args.part.split('/')))


if __name__ == '__main__':
    main()

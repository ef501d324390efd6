"""How the accuracy of Gaussian discriminant analysis depends on features, covariance and shrinkage.

python benchmarks/gda_shrinkage.py configs/small/gda_digits.py CHECKPOINT --out work_dirs/gda_shrinkage

It tests the checkpoint once per setting (tools/test.py) and writes the commands and results (run.json) and the table to
OUT. "auto" is Ledoit and Wolf's shrinkage, shown with the smallest and the largest intensity that it chose.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from mmpod.experiments.queue import versions

TEST = Path(__file__).resolve().parents[1] / 'tools' / 'test.py'
STAGES, COVARIANCES = ('pre_logits', 'pooled'), ('class', 'shared')


def main() -> None:
    """Test every setting and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='of the GDA')
    parser.add_argument('checkpoint', help='of the training')
    parser.add_argument('--out', type=Path, required=True, help='folder to write to')
    parser.add_argument('--shrinkage', nargs='+', default=['auto', '1', '0.5', '0.1', '0.01', '0.001'])
    parser.add_argument('--cfg-options', nargs='+', default=[], help='overrides for all tests')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    started, measured = time.monotonic(), {}
    table = [['features, covariance', *args.shrinkage], ['---'] * (1 + len(args.shrinkage))]
    for stage, covariance in itertools.product(STAGES, COVARIANCES):
        table.append([f'{stage}, {covariance}'])
        for shrinkage in args.shrinkage:
            name = f'{stage}_{covariance}_{shrinkage}'
            settings = dict(stage=stage, covariance=covariance, shrinkage=shrinkage)
            options = [f'model.{key}={value}' for key, value in settings.items()]
            out = args.out / 'metrics.json'
            command = [sys.executable, TEST, args.config, args.checkpoint, '--work-dir', args.out / 'log', '--out', out]
            command += ['--out-item', 'metrics', '--cfg-options', *options, *args.cfg_options]
            done = subprocess.run(map(str, command), capture_output=True, text=True)
            if done.returncode:
                sys.exit(f'{" ".join(map(str, command))} failed:\n{done.stderr[-2000:]}')
            measured[name] = metrics = json.loads(out.read_text())
            low, high = re.search(r'shrinkage (\S+) to (\S+)', done.stdout + done.stderr).groups()
            chosen = f' ({low})' if low == high else f' ({low} to {high})'
            table[-1].append(f'{metrics["gda/top1"]:.2f}' + (chosen if shrinkage == 'auto' else ''))
    text = ''.join(f'| {" | ".join(row)} |\n' for row in table).replace('| --- ', '|---').replace('--- |', '---|')
    out.unlink()
    seconds = round(time.monotonic() - started, 1)
    record = dict(command=sys.argv, versions=versions(), wall_s=seconds, metrics=measured)
    (args.out / 'run.json').write_text(json.dumps(record, indent=2) + '\n')
    (args.out / 'table.md').write_text(text)
    print(f'the cosine: {metrics["cosine/top1"]:.2f} %; GDA, %:\n{text}', end='')


if __name__ == '__main__':
    main()

"""Train with 10,000 classes, POD Loss against Softmax: each of 10,000 images of CIFAR-10 is its own class.

CIFAR10_ROOT=data/cifar10 python benchmarks/many_classes_training.py --epochs 30

The samples of a class are random crops and flips of its image, in training and in the test. The network is the narrow
ResNet-18 with the recipe of its config, in bfloat16 on one thread. Prints, and writes to OUT.csv, the time of an
iteration (median, without loading) and the accuracy on fresh crops after the last epoch.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import pandas as pd
from mmengine.config import Config

from mmpod.datasets import CIFAR10AnyLayout
from mmpod.engine.fast_path import use_fast_path
from mmpod.engine.runner_session import runner_session
from mmpod.experiments.markdown import markdown_table
from mmpod.registry import DATASETS
from mmpod.utils.paths import CONFIGS

WAYS = {
    'Softmax': 'softmax_cifar10_10k_warmup',
    'Cosine Loss': 'pod_cifar10_10k_warmup',
    'POD Loss': 'pod_cifar10_10k_warmup',
    'POD Loss with a batch norm': 'pod_cifar10_10k_bn',
}


@DATASETS.register_module()
class EachImageAClass(CIFAR10AnyLayout):
    """CIFAR-10 with each image as its own class."""

    def load_data_list(self) -> list[dict]:
        """Return the images, numbered."""
        samples = [dict(sample, gt_label=index) for index, sample in enumerate(super().load_data_list())]
        self._metainfo['classes'] = tuple(map(str, range(len(samples))))
        return samples


def config(way: str, args: argparse.Namespace, work_dir: str) -> Config:
    """Return the config of a training."""
    cfg = Config.fromfile(CONFIGS / 'small' / f'{WAYS[way]}.py')
    num_classes = 10 * args.per_class
    cfg.model.head.num_classes = cfg.data_preprocessor.num_classes = num_classes
    if way != 'Softmax':
        cfg.model.head.centroids = 'spread'
    if way == 'Cosine Loss':
        cfg.model.head.loss.sc_weight = 0.0
    cfg.train_dataloader.dataset.update(type='EachImageAClass', samples_per_class=args.per_class)
    fresh = cfg.train_dataloader.dataset.copy()
    use_fast_path(cfg)
    cfg.val_dataloader.dataset = fresh
    cfg.val_evaluator = dict(type='Accuracy', topk=(1, 5))
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None
    cfg.train_cfg.update(max_epochs=args.epochs, val_interval=args.epochs)
    cfg.default_hooks.checkpoint.interval = args.epochs
    cfg.param_scheduler[1].update(T_max=args.epochs - 1, end=args.epochs)
    cfg.optim_wrapper.optimizer.lr = args.lr or cfg.optim_wrapper.optimizer.lr
    cfg.randomness = dict(seed=args.seed)
    cfg.work_dir = work_dir
    return cfg


def main() -> None:
    """Train each way and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--ways', nargs='+', choices=WAYS, default=list(WAYS))
    parser.add_argument('--epochs', type=int, default=30)
    parser.add_argument('--per-class', type=int, default=1000, help='images of each of the ten classes of CIFAR-10')
    parser.add_argument('--lr', type=float, help='learning rate (default: that of the config)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, default=Path('many_classes_training'))
    args = parser.parse_args()
    rows = []
    for way in args.ways:
        with tempfile.TemporaryDirectory() as folder, runner_session(config(way, args, folder)) as runner:
            runner.train()
            hub = runner.message_hub
            seconds, loading = (hub.get_scalar(f'train/{name}').data[0] for name in ('time', 'data_time'))
            step = 1000 * statistics.median(seconds - loading)
            top1, top5 = (hub.get_scalar(f'val/accuracy/{name}').current() for name in ('top1', 'top5'))
            head = runner.model.head
            trained = sum(parameter.numel() for parameter in head.parameters())
            lr = runner.cfg.optim_wrapper.optimizer.lr
            numbers = [f'{number:.2f}' for number in (step, top1, top5)]
            rows.append((way, head.num_classes, args.epochs, lr, trained, *numbers))
    columns = ['loss', 'classes', 'epochs', 'rate', 'trained in the head', 'iteration, ms', 'top-1, %', 'top-5, %']
    table = pd.DataFrame(rows, columns=columns).astype(str)
    table.to_csv(args.out.with_suffix('.csv'), index=False)
    print(markdown_table(table))


if __name__ == '__main__':
    main()

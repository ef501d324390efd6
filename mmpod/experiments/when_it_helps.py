"""The studies behind "Should I use it?": Softmax, Cosine and POD Loss by data, budget, imbalance, noise and purpose.

Five methods on CIFAR-10 with the narrow ResNet-18, each with the rate and weight decay that its own five trials chose
on held-out training images; equal iterations for all; the test set is read once, after the last epoch.
"""

from collections.abc import Sequence

from mmpod.experiments.catalogue import Base, Study
from mmpod.experiments.losses import DECAY, LAMBDA, RATE, held_out

__all__ = ['METHODS', 'WHEN_IT_HELPS']

NORM = ('norm_cfg.type=BN1d', 'norm_cfg.affine=False')
PROJECTED = (
    *(f'model.neck.{option}' for option in ('type=mmpretrain.LinearNeck', 'gap_dim=2', 'act_cfg=None', *NORM)),
    *('model.neck.in_channels=64', 'model.neck.out_channels=256', 'model.head.in_channels=256'),
)
SOFTMAX, POD = 'small/softmax_cifar10_10k_warmup', 'small/pod_cifar10_10k_warmup'
# By name: what tables and figures call it, its config, and what it changes of the config.
METHODS: dict[str, tuple[str, str, Sequence[str]]] = {
    'softmax': ('Softmax', SOFTMAX, ()),
    'softmax_bn': ('Softmax, projection with batch norm', SOFTMAX, PROJECTED),
    'cosine': ('Cosine Loss', POD, (f'{LAMBDA}=0',)),
    'pod': ('POD Loss', POD, ()),
    'pod_bn': ('POD Loss with batch norm', POD, tuple(f'model.head.{option}' for option in NORM)),
}
BATCH, ITERATIONS = 64, 2000
RATES, FIRST_DECAY, DECAYS = [0.03, 0.1, 0.3], '1e-3', ['2.5e-4', '4e-3']
# By images per class: the rate and the weight decay of each method that its trials chose.
CHOSEN: dict[int, dict[str, tuple[float, str]]] = {100: {}, 1000: {}}


def schedule(images: int, iterations: int) -> list[str]:
    """Return the overrides for about so many iterations: a warm-up of a thirteenth, then a half cosine down to 0."""
    epochs = round(iterations / -(-images // BATCH))
    warmup = max(1, round(epochs / 13))
    return [
        f'train_cfg.max_epochs={epochs}',
        f'train_cfg.val_interval={epochs}',
        f'default_hooks.checkpoint.interval={epochs}',
        f'param_scheduler.0.end={warmup}',
        f'param_scheduler.1.begin={warmup}',
        f'param_scheduler.1.end={epochs}',
        f'param_scheduler.1.T_max={epochs - warmup}',
    ]


def training(counts: Sequence[int], iterations: int = ITERATIONS) -> list[str]:
    """Return the overrides for a training with so many images of each class, validated on others."""
    number = str(counts[0]) if len(set(counts)) == 1 else f'[{",".join(map(str, counts))}]'
    recalled = ('type=mmpretrain.SingleLabelMetric', 'items=[recall]', 'average=None')
    return [
        'fast=True',
        f'train_dataloader.dataset.samples_per_class={number}',
        *schedule(sum(counts), iterations),
        *held_out(1000, 500),
        *(f'test_evaluator.1.{option}' for option in recalled),
    ]


def tuning() -> Study:
    """Return the trials: three rates, then two more weight decays at the best rate, at half the iterations."""
    bases = {}
    for number, chosen in CHOSEN.items():
        for name, (_, config, overrides) in METHODS.items():
            grid: list[dict[str, Sequence]] = [{RATE: RATES, DECAY: [FIRST_DECAY]}]
            if name in chosen:
                grid.append({RATE: [chosen[name][0]], DECAY: DECAYS})
            options = [*overrides, *training([number] * 10, ITERATIONS // 2), *held_out(1000, 500, 'test_dataloader')]
            bases[f'{name}_{number}'] = Base(config, options, grid)
    return Study('when_tuning', 'trials of rate and weight decay on held-out images of CIFAR-10', bases, seeds=(0,))


def method(name: str, tuned_with: int, options: Sequence[str]) -> Base:
    """Return a method with what its trials with that many images per class chose."""
    _, config, overrides = METHODS[name]
    rate, decay = CHOSEN[tuned_with][name]
    return Base(config, (*overrides, *options, f'{RATE}={rate}', f'{DECAY}={decay}'))


WHEN_IT_HELPS = [tuning()]

"""POD Loss with warm-up and cosine schedule, for 40 epochs on 10,000 images of CIFAR-10; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_cifar10_10k_warmup_40epochs.py
"""

_base_ = ['pod_resnet18w8_cifar10_10k_warmup_tuned.py']

# The warm-up of 15 epochs, and a longer half cosine.
train_cfg = dict(max_epochs=40)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=39, by_epoch=True, begin=1, end=40, convert_to_iter_based=True),
]

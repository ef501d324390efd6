"""Softmax with Center Loss on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/center_cifar10_10k.py
"""

_base_ = ['softmax_cifar10_10k.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.CenterLoss', num_classes=10, feat_dim=64, center_weight=0.003),
    )
)

"""Softmax with Center Loss on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/center_tiny20.py
"""

_base_ = ['softmax_tiny20.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.CenterLoss', num_classes=20, feat_dim=64, center_weight=0.003),
    )
)

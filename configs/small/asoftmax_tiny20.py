"""A-Softmax with m = 4 on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/asoftmax_tiny20.py
"""

_base_ = ['softmax_tiny20.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.ASoftmaxLoss', margin=4, gamma=0.12),
    )
)

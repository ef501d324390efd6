"""A-Softmax with m = 4 on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/asoftmax_cifar10_10k.py
"""

_base_ = ['softmax_cifar10_10k.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.ASoftmaxLoss', margin=4, gamma=0.12),
    )
)

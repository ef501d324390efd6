"""L-Softmax with m = 2 on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/lsoftmax_cifar10_10k.py
"""

_base_ = ['softmax_cifar10_10k.py']

# Lambda falls over the same part of the training as in the 39,100 iterations of the ResNet-50 config.
model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.LSoftmaxLoss', margin=2, gamma=1.7e-4),
    )
)

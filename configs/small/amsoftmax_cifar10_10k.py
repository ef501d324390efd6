"""AM-Softmax with the paper's s = 5 and m = 0.25 on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/amsoftmax_cifar10_10k.py
"""

_base_ = ['softmax_cifar10_10k.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.AMSoftmaxLoss', scale=5.0, margin=0.25),
    )
)

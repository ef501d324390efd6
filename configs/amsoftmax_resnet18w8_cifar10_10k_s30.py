"""AM-Softmax with the original s = 30 and m = 0.35 on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/amsoftmax_resnet18w8_cifar10_10k_s30.py
"""

_base_ = ['softmax_resnet18w8_cifar10_10k.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.AMSoftmaxLoss', scale=30.0, margin=0.35),
    )
)

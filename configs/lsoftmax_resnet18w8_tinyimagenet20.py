"""L-Softmax with m = 2 on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/lsoftmax_resnet18w8_tinyimagenet20.py
"""

_base_ = ['softmax_resnet18w8_tinyimagenet20.py']

# Lambda falls over the same part of the training as in the 39,100 iterations of the ResNet-50 config.
model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.LSoftmaxLoss', margin=2, gamma=1.7e-4),
    )
)

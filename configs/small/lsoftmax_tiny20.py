"""L-Softmax with m = 2 on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/lsoftmax_tiny20.py
"""

_base_ = ['softmax_tiny20.py']

# Lambda falls over the same part of the training as in the 39,100 iterations of the ResNet-50 config.
model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.LSoftmaxLoss', margin=2, gamma=1.7e-4),
    )
)

"""Softmax with label smoothing, warm-up and cosine schedule on 10,000 images of CIFAR-10; see docs/results.md.

python tools/train.py configs/softmax_resnet18w8_cifar10_10k_smoothed_tuned.py
"""

_base_ = ['softmax_resnet18w8_cifar10_10k_warmup_tuned.py']

model = dict(
    head=dict(loss=dict(_delete_=True, type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original'))
)
optim_wrapper = dict(optimizer=dict(lr=0.2))

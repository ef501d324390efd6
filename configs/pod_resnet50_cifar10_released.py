"""POD Loss on CIFAR-10 as the authors' released code trains it, as far as that is known; compare 94.31 % of Table VI.

python tools/train.py configs/pod_resnet50_cifar10_released.py

Batch 200, weight decay 1e-4, momentum reset at each drop of the rate, PyTorch's initialisation, lambda = 1/(D - 1).
"""

_base_ = [
    '_base_/models/pod_resnet50_cifar.py',
    '_base_/datasets/cifar10_bs128.py',
    '_base_/schedules/released.py',
    '_base_/default_runtime.py',
]

model = dict(
    backbone=dict(init_cfg=[], zero_init_residual=False),
    head=dict(loss=dict(sc_weight=1 / 255)),
)
train_dataloader = dict(batch_size=200)

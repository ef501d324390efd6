"""The demo's baseline: the same network with softmax and cross entropy.

python tools/train.py configs/small/softmax_digits.py
"""

_base_ = [
    '../_base_/models/softmax_resnet18w8_cifar.py',
    '../_base_/datasets/digits_bs64.py',
    '../_base_/schedules/small_bs64.py',
    '../_base_/default_runtime.py',
]

"""The demo: POD Loss on the handwritten digits that ship with scikit-learn.

python tools/train.py configs/small/pod_digits.py
"""

_base_ = [
    '../_base_/models/pod_resnet18w8_cifar.py',
    '../_base_/datasets/digits_bs64.py',
    '../_base_/schedules/small_bs64.py',
    '../_base_/default_runtime.py',
]

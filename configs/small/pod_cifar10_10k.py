"""POD Loss on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_cifar10_10k.py
"""

_base_ = [
    '../_base_/models/pod_resnet18w8_cifar.py',
    '../_base_/datasets/cifar10_10k_bs64.py',
    '../_base_/schedules/small_bs64.py',
    '../_base_/default_runtime.py',
]

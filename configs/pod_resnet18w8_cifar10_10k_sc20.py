"""POD Loss with lambda = 20 on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_cifar10_10k_sc20.py
"""

_base_ = ['pod_resnet18w8_cifar10_10k.py']

model = dict(head=dict(loss=dict(sc_weight=20.0)))

"""POD Loss with 64 feature dimensions on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_cifar10_10k_dim64.py
"""

_base_ = ['pod_resnet18w8_cifar10_10k.py']

model = dict(head=dict(feat_dim=64))

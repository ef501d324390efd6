"""POD Loss with the norm-adaptive cosine term on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_cifar10_10k_normadaptive.py
"""

_base_ = ['pod_cifar10_10k.py']

model = dict(head=dict(loss=dict(type='mmpod.NormAdaptivePODLoss')))
custom_hooks = [dict(type='mmpod.NormAdaptiveHook')]

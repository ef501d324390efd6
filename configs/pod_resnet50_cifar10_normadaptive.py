"""POD Loss with the norm-adaptive cosine term on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/pod_resnet50_cifar10_normadaptive.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(loss=dict(type='mmpod.NormAdaptivePODLoss')))
custom_hooks = [dict(type='mmpod.NormAdaptiveHook')]

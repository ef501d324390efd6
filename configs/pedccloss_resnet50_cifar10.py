"""PEDCC-Loss with the paper's s = 10 and m = 0.5 on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/pedccloss_resnet50_cifar10.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(loss=dict(_delete_=True, type='mmpod.PEDCCLoss', scale=10.0, margin=0.5)))

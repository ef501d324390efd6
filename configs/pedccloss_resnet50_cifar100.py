"""PEDCC-Loss with the paper's s = 10 and m = 0.5 on CIFAR-100: Table III of arXiv 2111.15449 v1, which reports 75.58 %.

python tools/train.py configs/pedccloss_resnet50_cifar100.py
"""

_base_ = ['pod_resnet50_cifar100.py']

model = dict(head=dict(loss=dict(_delete_=True, type='mmpod.PEDCCLoss', scale=10.0, margin=0.5)))

"""PEDCC-Loss with the paper's s = 10 and m = 0.5 on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pedccloss_cifar10_10k.py
"""

_base_ = ['pod_cifar10_10k.py']

model = dict(head=dict(loss=dict(_delete_=True, type='mmpod.PEDCCLoss', scale=10.0, margin=0.5)))

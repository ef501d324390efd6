"""PEDCC-Loss with the paper's s = 10 and m = 0.5 on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pedccloss_tiny20.py
"""

_base_ = ['pod_tiny20.py']

model = dict(head=dict(loss=dict(_delete_=True, type='mmpod.PEDCCLoss', scale=10.0, margin=0.5)))

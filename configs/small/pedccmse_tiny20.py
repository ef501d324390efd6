"""PEDCC-MSE (Eq. 12) on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pedccmse_tiny20.py
"""

_base_ = ['cosine_tiny20.py']

model = dict(head=dict(loss=dict(power=1)))

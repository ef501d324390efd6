"""PEDCC-MSE, Eq. 12, on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pedccmse_resnet18w8_tinyimagenet20.py
"""

_base_ = ['cosine_resnet18w8_tinyimagenet20.py']

model = dict(head=dict(loss=dict(power=1)))

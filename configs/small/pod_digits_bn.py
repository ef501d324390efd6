"""The demo with the recommended head: a batch norm between the projection and unit length, which is not in the paper.

python tools/train.py configs/small/pod_digits_bn.py
"""

_base_ = ['pod_digits.py']

model = dict(head=dict(norm_cfg=dict(type='BN1d', affine=False)))

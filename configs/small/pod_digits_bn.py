"""The demo with the recommended head, which has a batch norm before the scaling to unit length (not in the paper).

python tools/train.py configs/small/pod_digits_bn.py
"""

_base_ = ['pod_digits.py']

model = dict(head=dict(norm_cfg=dict(type='BN1d', affine=False)))

"""POD Loss with VICReg's covariance term on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_tiny20_vicreg.py
"""

_base_ = ['pod_tiny20.py']

# D times VICReg's term is the SC term, centred.
model = dict(head=dict(loss=dict(decorrelation='vicreg', sc_weight=256.0)))

"""POD Loss with VICReg's covariance term on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_cifar10_10k_vicreg.py
"""

_base_ = ['pod_cifar10_10k.py']

# D times VICReg's term is the SC term, centred.
model = dict(head=dict(loss=dict(decorrelation='vicreg', sc_weight=256.0)))

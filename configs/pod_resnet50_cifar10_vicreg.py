"""POD Loss with VICReg's covariance term instead of the SC term on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/pod_resnet50_cifar10_vicreg.py
"""

_base_ = ['pod_resnet50_cifar10.py']

# D times VICReg's term is the SC term, centred.
model = dict(head=dict(loss=dict(decorrelation='vicreg', sc_weight=256.0)))

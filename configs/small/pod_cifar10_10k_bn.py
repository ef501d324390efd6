"""POD Loss with a batch norm on 10,000 images of CIFAR-10, with the tuned recipe; see docs/results.md.

python tools/train.py configs/small/pod_cifar10_10k_bn.py
"""

_base_ = ['pod_cifar10_10k_vicreg_bn.py']

# The paper's SC term instead of VICReg's term.
model = dict(head=dict(loss=dict(decorrelation='sc', sc_weight=1.0)))
optim_wrapper = dict(optimizer=dict(lr=0.2, weight_decay=5e-4))

"""POD Loss with a batch norm and CIFAR-10's settings on 20 classes of Tiny ImageNet; see docs/results.md.

python tools/train.py configs/small/pod_tiny20_bn.py
"""

_base_ = ['pod_tiny20_vicreg_bn.py']

# The paper's SC term instead of VICReg's term.
model = dict(head=dict(loss=dict(decorrelation='sc', sc_weight=1.0)))
optim_wrapper = dict(optimizer=dict(lr=0.2, weight_decay=5e-4))

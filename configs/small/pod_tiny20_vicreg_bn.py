"""POD Loss with VICReg's term and a batch norm on 20 classes of Tiny ImageNet; see docs/results.md.

python tools/train.py configs/small/pod_tiny20_vicreg_bn.py
"""

_base_ = [
    '../_base_/models/pod_resnet18w8_64px.py',
    '../_base_/datasets/tinyimagenet20_bs64.py',
    '../_base_/schedules/small_warmup_bs64.py',
    '../_base_/default_runtime.py',
]

model = dict(
    head=dict(
        norm_cfg=dict(type='BN1d', affine=False),
        loss=dict(decorrelation='vicreg', sc_weight=256.0, loss_weight=2.0),
    )
)
optim_wrapper = dict(optimizer=dict(weight_decay=2e-3))

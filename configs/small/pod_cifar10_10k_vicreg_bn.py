"""POD Loss with VICReg's term and a batch norm on 10,000 images of CIFAR-10, tuned; see docs/results/recipe.md.

python tools/train.py configs/small/pod_cifar10_10k_vicreg_bn.py
"""

_base_ = [
    '../_base_/models/pod_resnet18w8_cifar.py',
    '../_base_/datasets/cifar10_10k_bs64.py',
    '../_base_/schedules/small_warmup_bs64.py',
    '../_base_/default_runtime.py',
]

# Without affine parameters: a shift would move all features to one side of the centroids.
model = dict(
    head=dict(
        norm_cfg=dict(type='BN1d', affine=False),
        loss=dict(decorrelation='vicreg', sc_weight=256.0, loss_weight=2.0),
    )
)
optim_wrapper = dict(optimizer=dict(weight_decay=2e-3))

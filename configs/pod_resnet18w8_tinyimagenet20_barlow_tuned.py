"""POD Loss with Barlow Twins' term on 20 classes of Tiny ImageNet, the best of six settings; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_barlow_tuned.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20_barlow.py']

model = dict(head=dict(loss=dict(loss_weight=5.0)))
optim_wrapper = dict(optimizer=dict(lr=0.03))

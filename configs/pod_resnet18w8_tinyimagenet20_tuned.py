"""POD Loss on 20 classes of Tiny ImageNet, the best of six settings; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_tuned.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

optim_wrapper = dict(optimizer=dict(lr=0.3))

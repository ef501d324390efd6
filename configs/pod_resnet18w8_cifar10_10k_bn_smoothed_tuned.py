"""POD Loss with a batch norm and label smoothing on 10,000 images of CIFAR-10; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_cifar10_10k_bn_smoothed_tuned.py
"""

_base_ = ['pod_resnet18w8_cifar10_10k_bn_tuned.py']

model = dict(head=dict(loss=dict(label_smooth_val=0.1)))

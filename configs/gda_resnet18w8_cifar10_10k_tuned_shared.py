"""Gaussian discriminant analysis with one covariance for all classes on 10,000 images of CIFAR-10; see docs/results.md.
CHECKPOINT comes from pod_resnet18w8_cifar10_10k_tuned.py.

python tools/test.py configs/gda_resnet18w8_cifar10_10k_tuned_shared.py CHECKPOINT
"""

_base_ = ['gda_resnet18w8_cifar10_10k_tuned.py']

model = dict(covariance='shared')

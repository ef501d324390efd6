# Known differences of the authors' released code from the paper: a weight decay of 1e-4, and an optimizer that is
# rebuilt at each drop of the learning rate, which resets the momentum. Its total batch on CIFAR-10 is 200, and it uses
# PyTorch's initialisation: see pod_resnet50_cifar10_released.py.
_base_ = ['paper_bs128.py']

optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
custom_hooks = [dict(type='mmpod.ResetMomentumHook', epochs=[30, 60, 90])]
auto_scale_lr = dict(base_batch_size=200)

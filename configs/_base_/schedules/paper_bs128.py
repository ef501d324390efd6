# Section IV-A of the paper: SGD, 100 epochs, learning rate divided by 10 at 30, 60 and 90, total batch 128.
_base_ = ['mmpretrain::_base_/schedules/cifar10_bs128.py']

optim_wrapper = dict(optimizer=dict(lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(milestones=[30, 60, 90], gamma=0.1)
train_cfg = dict(max_epochs=100)

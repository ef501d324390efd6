# Section IV-A of the paper for ImageNet: a weight decay of 1e-4 and a total batch of 96; otherwise unchanged.
_base_ = ['paper_bs128.py']

optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
auto_scale_lr = dict(base_batch_size=96)

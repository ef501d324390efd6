# A fixed balanced subset of CIFAR-10 for the CPU: the first 1,000 training images per class, and the whole test set.
_base_ = ['cifar10_bs128.py']

train_dataloader = dict(batch_size=64, num_workers=0, dataset=dict(samples_per_class=1000))
val_dataloader = dict(batch_size=256, num_workers=0)
test_dataloader = val_dataloader

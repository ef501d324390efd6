# The first 20 classes of Tiny ImageNet, for the CPU: 10,000 training and 1,000 validation images.
_base_ = ['tinyimagenet_bs128.py']

data_preprocessor = dict(num_classes=20)
train_dataloader = dict(batch_size=64, num_workers=0, dataset=dict(num_classes=20))
val_dataloader = dict(batch_size=256, num_workers=0, dataset=dict(num_classes=20))
test_dataloader = val_dataloader

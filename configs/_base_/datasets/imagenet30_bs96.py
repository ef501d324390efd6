# The first 30 synsets of ImageNet.
_base_ = ['imagenet_bs96.py']

data_preprocessor = dict(num_classes=30)
dataset = dict(type='mmpod.ImageNetSubset', num_classes=30)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader

# The first 100 synsets of ImageNet.
_base_ = ['imagenet_bs96.py']

data_preprocessor = dict(num_classes=100)
dataset = dict(type='mmpod.ImageNetSubset', num_classes=100)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader

# CIFAR-10 from the folder in the environment variable CIFAR10_ROOT: the unpacked official Python archive, or images as
# <folder>/train/<class>/*.jpg and <folder>/test/<class>/*.jpg. The total batch is 128 on one GPU; on G GPUs set
# train_dataloader.batch_size to 128 / G.
_base_ = ['mmpretrain::_base_/datasets/cifar10_bs16.py']

data_preprocessor = dict(to_rgb=True)  # mmpod's datasets return BGR, as LoadImageFromFile does
dataset = dict(type='mmpod.CIFAR10AnyLayout', data_root='{{$CIFAR10_ROOT:data/cifar10}}')
train_dataloader = dict(batch_size=128, dataset=dataset)
val_dataloader = dict(batch_size=128, dataset=dataset)
test_dataloader = val_dataloader
test_evaluator = [dict(type='Accuracy', topk=(1,)), dict(type='mmpod.FeatureSpectrum')]  # Table IV

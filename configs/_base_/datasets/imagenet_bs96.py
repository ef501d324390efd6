# ImageNet from the folder in the environment variable IMAGENET_ROOT, in mmpretrain's layout; total batch 96.
_base_ = ['mmpretrain::_base_/datasets/imagenet_bs32.py']

dataset = dict(data_root='{{$IMAGENET_ROOT:data/imagenet}}')
train_dataloader = dict(batch_size=96, dataset=dataset)
val_dataloader = dict(batch_size=96, dataset=dataset)
test_dataloader = val_dataloader
test_evaluator = [dict(type='Accuracy', topk=(1, 5)), dict(type='mmpod.FeatureSpectrum')]  # Table IV

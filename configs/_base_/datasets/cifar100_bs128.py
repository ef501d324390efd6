# CIFAR-100 from the folder in the environment variable CIFAR100_ROOT, laid out as in cifar10_bs128.py.
_base_ = ['mmpretrain::_base_/datasets/cifar100_bs16.py']

# As in the authors' released code: (0.507, 0.487, 0.441) and (0.267, 0.256, 0.276) times 255.
data_preprocessor = dict(mean=[129.285, 124.185, 112.455], std=[68.085, 65.28, 70.38], to_rgb=True)
dataset = dict(type='mmpod.CIFAR100AnyLayout', data_root='{{$CIFAR100_ROOT:data/cifar100}}')
train_dataloader = dict(batch_size=128, dataset=dataset)
val_dataloader = dict(batch_size=128, dataset=dataset)
val_evaluator = dict(topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = [dict(type='Accuracy', topk=(1, 5)), dict(type='mmpod.FeatureSpectrum')]  # Table IV

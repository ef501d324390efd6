"""``fast=True``: small images in memory, crops and flips on the device, bfloat16, and no host sync per iteration."""

from collections.abc import Mapping

from mmengine.config import Config, ConfigDict

from mmpod.utils.config_parts import loaders_of, type_name

__all__ = ['use_fast_path']

PLAIN_CROP = {'type', '_scope_', 'crop_size', 'padding'}  # other options can change the border and the shape


def use_fast_path(cfg: Config) -> None:
    """Rewrite a config, in place, so that a small network on small images keeps a GPU busy.

    The training is the same up to the precision of bfloat16: images are decoded once (``mmpod.InMemoryImages``),
    ``RandomCrop`` with zero padding and ``RandomFlip`` run on the device (``mmpod.CropFlipPreprocessor``), the forward
    pass uses bfloat16 without a loss scaler, convolutions use ``channels_last``, and logged values are read at the
    logging interval. For CIFAR, Tiny ImageNet and any other dataset that fits in memory with images of one size::

        python tools/train.py CONFIG --cfg-options fast=True

    Raises:
        ValueError: The training pipeline has other transforms, a dataset is a wrapper such as ``RepeatDataset``, the
            preprocessor is another class, or there is test-time augmentation. MMEngine raises a RuntimeError if
            ``SwitchRecipeHook`` is to change the training pipeline, at the epoch of the change.
    """
    for name, loader in loaders_of(cfg):
        if 'dataset' in loader.dataset or 'datasets' in loader.dataset:
            raise ValueError(
                f'Expected {name}.dataset to be an image dataset for fast=True, but got the wrapper '
                f'{type_name(loader.dataset)}. Name the dataset inside it, or leave fast=True out.'
            )
    crop, flip, loading = _augmentation((cfg.get('train_dataloader') or {}).get('dataset') or {})
    preprocessor = cfg.model.setdefault('data_preprocessor', ConfigDict(cfg.get('data_preprocessor') or {}))
    if 'type' in preprocessor and type_name(preprocessor) != 'ClsDataPreprocessor':
        raise ValueError(
            f'Expected ClsDataPreprocessor for fast=True, but got {preprocessor.type}. Leave fast=True out.'
        )
    preprocessor.update(
        type='mmpod.CropFlipPreprocessor',
        padding=crop.get('padding', 0) if crop else 0,
        crop_size=crop.crop_size if crop else None,
        flip_prob=flip.get('prob', 0.5) if flip else 0.0,
    )
    for name, loader in loaders_of(cfg):
        training = name == 'train_dataloader'
        if not training:
            loading = [step for step in loader.dataset.get('pipeline') or [] if type_name(step) != 'PackInputs']
            if any(type_name(step) == 'TestTimeAug' for step in loading):
                raise ValueError('Expected one view of each image for fast=True, but got --tta. Leave fast=True out.')
            loader.batch_size = max(loader.batch_size, 500)
        dataset = ConfigDict(loader.dataset, pipeline=loading)  # a dict would not keep imported classes writable
        loader.dataset = ConfigDict(type='mmpod.InMemoryImages', dataset=dataset, whole_batches=training)
        loader.update(num_workers=0, persistent_workers=False)
    optim = cfg.get('optim_wrapper')
    if optim and ('type' not in optim or type_name(optim) in ('OptimWrapper', 'AmpOptimWrapper')):
        optim.type = 'mmpod.BFloat16OptimWrapper'
    cfg.default_hooks.update(
        channels_last=dict(type='mmpod.ChannelsLastHook'), runtime_info=dict(type='mmpod.DeferredRuntimeInfoHook')
    )
    cfg.setdefault('env_cfg', ConfigDict()).cudnn_benchmark = True


def _augmentation(dataset: Mapping) -> tuple:
    """Split a training pipeline into the crop, the flip and the transforms before them."""
    crop = flip = None
    loading = []
    for step in dataset.get('pipeline') or []:
        kind = type_name(step)
        if kind == 'RandomCrop' and crop is None and step.keys() <= PLAIN_CROP and _has_integers(step):
            crop = step
        elif kind == 'RandomFlip' and flip is None and step.get('direction', 'horizontal') == 'horizontal':
            flip = step
        elif kind in ('LoadImageFromFile', 'Resize') and crop is flip is None:
            loading.append(step)
        elif kind != 'PackInputs':
            raise ValueError(
                'Expected the training pipeline to load, crop squares with a border of zeros (RandomCrop with integers '
                f'crop_size and padding), flip left to right and pack for fast=True, but got {dict(step)}. Leave '
                'fast=True out.'
            )
    return crop, flip, loading


def _has_integers(crop: Mapping) -> bool:
    return all(isinstance(crop.get(key, 0), int) for key in ('crop_size', 'padding'))

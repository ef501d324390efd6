"""Adapt data loaders to this machine, and check their images and the total batch."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmpretrain.registry import DATASETS
from torch import nn

from mmpod.datasets.file_pipeline import inner_datasets, known_orders
from mmpod.utils.config_parts import loaders_of, preprocessor_of, resolve, type_name
from mmpod.utils.errors import UserError

__all__ = ['adapt_loaders', 'check_channel_order', 'check_same_order', 'check_total_batch']


def adapt_loaders(cfg: Config, restart_workers: bool) -> None:
    """Adapt the loaders of a config to this machine, and log changes that the user may notice.

    Args:
        cfg: Changed in place.
        restart_workers: Restart the workers of the training set in each epoch, see ``EpochSeedHook``.
    """
    for _, loader in loaders_of(cfg):
        if not torch.cuda.is_available():
            loader['pin_memory'] = False
        if loader.get('num_workers', 0) == 0:
            loader['persistent_workers'] = False
    train = cfg.get('train_dataloader')
    if restart_workers and train is not None:
        if train.get('persistent_workers'):
            print_log(
                'train_dataloader.persistent_workers=True is treated as False: EpochSeedHook seeds the workers when '
                'they start, in each epoch, so that a resumed run equals an uninterrupted one. To keep the workers '
                'instead: --cfg-options default_hooks.epoch_seed=None.',
                logger='current',
                level=logging.WARNING,
            )
        train['persistent_workers'] = False


def check_channel_order(cfg: Config) -> None:
    """Refuse loaders whose images come in different orders, and a preprocessor that takes mmpod's BGR images for RGB.

    The latter is what configs of mmpod 0.1 do.

    Raises:
        UserError: The orders differ, or the normalisation differs by channel and ``to_rgb`` is not set.
    """
    check_same_order({name: loader.get('dataset') for name, loader in loaders_of(cfg)})
    preprocessor = preprocessor_of(cfg)
    if preprocessor.get('to_rgb') or len({*(preprocessor.get('mean') or ())}) < 2:
        return
    for _, loader in loaders_of(cfg):
        dataset = loader.get('dataset')
        for leaf, _ in inner_datasets(dataset) if isinstance(dataset, dict) else ():
            if getattr(resolve(leaf.get('type'), DATASETS), 'CHANNEL_ORDER', None) == 'bgr':
                raise UserError(
                    f'Expected to_rgb=True in `data_preprocessor`, because {leaf["type"]} delivers BGR images, as '
                    'LoadImageFromFile does, but it is not set. Up to mmpod 0.1 this dataset delivered RGB: set '
                    'data_preprocessor.to_rgb=True also for models from that time.'
                )


def check_same_order(datasets: Mapping[str, Any]) -> None:
    """Refuse datasets whose images reach the model as RGB in one and BGR in another, where their orders can be found.

    Args:
        datasets: Configs of datasets by source, such as ``'val_dataloader'``; built ones pass.

    Raises:
        UserError: The orders differ.
    """
    orders: dict[str, str] = {}
    for source, dataset in datasets.items():
        for leaf, order in known_orders(dataset) if isinstance(dataset, dict) else ():
            orders.setdefault(order, f'{type_name(leaf)} ({source})')
    if len(orders) > 1:
        raise UserError(
            f'Expected all images to have one channel order, but the pipeline of {orders["rgb"]} gives RGB and that of '
            f"{orders['bgr']} gives BGR. Put dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy') into one of "
            'them, behind the transform that loads images if there is one: they swap red and blue. Instead of '
            "mmpretrain's CIFAR10 you can use mmpod.CIFAR10AnyLayout, whose images are BGR."
        )


def check_total_batch(cfg: Config, model: nn.Module) -> None:
    """Warn if the batch of an update is not the one that the learning rate, or the loss, is meant for.

    The batch of an update comes from all processes and from ``accumulative_counts`` iterations; the learning rate is
    meant for ``auto_scale_lr.base_batch_size``. A loss with statistics of the batch, such as POD Loss, sees only the
    images of one iteration. Call this once the processes have been set up.

    Raises:
        UserError: The rate is to be scaled, and gradients are accumulated, which MMEngine does not take into account.
    """
    recipe = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    accumulated = (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    # FlexibleRunner builds its model later.
    parts = model.modules() if isinstance(model, nn.Module) else ()
    if accumulated > 1 and any(getattr(part, 'batch_statistics', False) for part in parts):
        print_log(
            f'With accumulative_counts={accumulated} the gradients are not those of the total batch: the loss contains '
            'a statistic of the batch, the SC term of POD Loss for example, and computes it over each iteration alone. '
            'Raise train_dataloader.batch_size or the number of processes instead of accumulating.',
            logger='current',
            level=logging.WARNING,
        )
    if recipe is None:
        return
    if cfg.auto_scale_lr.get('enable'):
        if accumulated != 1:
            raise UserError(
                f'Expected --auto-scale-lr without accumulative_counts, but got {accumulated}: MMEngine would scale '
                'the rate to the batch of one iteration. Set optim_wrapper.optimizer.lr yourself.'
            )
        return
    per_process, processes = cfg.train_dataloader.get('batch_size'), get_world_size()
    if per_process is not None and processes * per_process * accumulated != recipe:
        print_log(
            f'The total batch is {processes} processes x {per_process} images x {accumulated} accumulated iterations = '
            f'{processes * per_process * accumulated}, but the learning rate of this config is meant for {recipe}. '
            'Change train_dataloader.batch_size or the rate; without accumulation, --auto-scale-lr scales it.',
            logger='current',
            level=logging.WARNING,
        )

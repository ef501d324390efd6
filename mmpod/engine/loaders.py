"""Adapt data loaders to this machine, and check the total batch."""

import logging

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from torch import nn

from mmpod.utils.config_parts import loaders_of
from mmpod.utils.errors import UserError

__all__ = ['adapt_loaders', 'check_total_batch']


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

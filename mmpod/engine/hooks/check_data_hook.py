"""A hook that stops the run if the data do not fit the model."""

from typing import Optional, Sized, cast

import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import BaseRetriever, ClsHead
from torch import nn
from torch.utils.data import DataLoader

from mmpod.engine.checkpoints import checkpoint_classes
from mmpod.engine.class_names import check_same_classes, dataset_classes, dataset_folders
from mmpod.engine.extraction import plain_model
from mmpod.registry import HOOKS
from mmpod.utils.checks import check_label_values
from mmpod.utils.errors import UserError

__all__ = ['CheckDataHook']


@HOOKS.register_module(name=['CheckDataHook', 'NumClassesHook'])  # the second: its name in 0.1
class CheckDataHook(Hook):
    """Compare the classes of head, datasets and checkpoint, and refuse a training set that the head cannot train on.

    - The head's ``num_classes`` must be the number of classes that each dataset names.
    - The datasets of training and validation must name the same classes in the same order. The same holds for a
      checkpoint that is evaluated or resumed; fine-tuning may start from other classes.
    - The labels of each batch must lie in ``[0, num_classes)``. Any other label would lead to an indexing error that
      does not name it (on a GPU, to a failed assertion of a kernel), and in an evaluation would count as a wrong
      prediction. An image must have one label, unless the head is made for several.
    - ``topk`` of the accuracy must not exceed ``num_classes``.
    - The training set must give at least one batch per epoch. If the head has a batch norm, each batch must have at
      least two images, which the last batch of an epoch may lack.
    - Validation and test must read every image.

    Datasets and checkpoints without class names are not compared. Of retrievers only the training set is checked: they
    are evaluated on other classes, with positions in their gallery as labels.

    Raises:
        UserError: Before training or evaluation.
        ValueError: At a batch.
    """

    priority = 'HIGH'  # runs before hooks that evaluate or fit at the start

    def __init__(self) -> None:
        self.checkpoint_classes: Optional[list[str]] = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the names of the classes that the weights were trained on."""
        self.checkpoint_classes = checkpoint_classes(checkpoint)

    def before_train(self, runner: Runner) -> None:
        """Check the training set, and the validation set if there is one."""
        loader = runner.train_dataloader
        if isinstance(runner.train_loop, EpochBasedTrainLoop) and len(loader) == 0:
            raise UserError(
                f'Expected train_dataloader to give at least one batch per epoch, but got none: {len(loader.sampler)} '
                'samples per process do not fill a batch, and `drop_last=True` leaves them out. Lower '
                'train_dataloader.batch_size, or set train_dataloader.drop_last=False.'
            )
        norm = getattr(getattr(plain_model(runner.model), 'head', None), 'norm', None)
        if isinstance(norm, nn.BatchNorm1d) and loader.batch_size:
            expected = 'Expected at least 2 images in every training batch for the batch norm of the head, but'
            if loader.batch_size == 1:
                raise UserError(f'{expected} each would have 1. Raise train_dataloader.batch_size.')
            one_left = not loader.drop_last and len(loader.sampler) % loader.batch_size == 1
            if one_left and isinstance(runner.train_loop, EpochBasedTrainLoop):
                raise UserError(f'{expected} the last of an epoch would have 1. Set train_dataloader.drop_last=True.')
        if not runner._resume:
            self.checkpoint_classes = None
        datasets = dict(train_dataloader=loader.dataset)
        if runner.val_loop is not None:
            _check_every_image('val_dataloader', runner.val_dataloader)
            datasets['val_dataloader'] = runner.val_dataloader.dataset
        self._check_classes(runner, datasets)
        if runner.val_loop is not None:
            _check_topk(runner, 'val_evaluator')

    def before_val(self, runner: Runner) -> None:
        """Check the validation set."""
        _check_every_image('val_dataloader', runner.val_dataloader)
        self._check_classes(runner, dict(val_dataloader=runner.val_dataloader.dataset))

    def before_test(self, runner: Runner) -> None:
        """Check the test set."""
        _check_every_image('test_dataloader', runner.test_dataloader)
        self._check_classes(runner, dict(test_dataloader=runner.test_dataloader.dataset))
        _check_topk(runner, 'test_evaluator')

    def _check_classes(self, runner: Runner, datasets: dict) -> None:
        if isinstance(plain_model(runner.model), BaseRetriever):
            datasets = {name: dataset for name, dataset in datasets.items() if name == 'train_dataloader'}
        names = {'the checkpoint': self.checkpoint_classes}
        names.update((source, dataset_classes(dataset)) for source, dataset in datasets.items())
        for lists in (names, {source: dataset_folders(dataset) for source, dataset in datasets.items()}):
            check_same_classes(
                lists, ' If only the names differ, switch this check off: --cfg-options default_hooks.check_data=None.'
            )
        num_classes = _num_classes(runner)
        for source, classes in names.items():
            if num_classes is not None and classes is not None and num_classes != len(classes):
                raise UserError(
                    f'Expected `num_classes` of the head to be the {len(classes)} classes of {source}, but got '
                    f'{num_classes}. Set model.head.num_classes={len(classes)} or, if the data have {num_classes} '
                    'classes, name these in all datasets: metainfo=dict(classes=[...]).'
                )

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None, mode: str = 'train'
    ) -> None:
        """Check the labels of a batch, in training, validation and test."""
        num_classes = _num_classes(runner)
        samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
        retrieved = mode != 'train' and isinstance(plain_model(runner.model), BaseRetriever)
        if num_classes is None or not samples or retrieved:
            return
        samples = samples[0] if isinstance(samples[0], list) else samples  # of test-time augmentation: one per view
        labelled = [sample for sample in samples if 'gt_label' in sample]
        whole_batch = mode == 'train' and getattr(runner.train_dataloader.dataset, 'whole_batches', False)
        if isinstance(getattr(plain_model(runner.model), 'head', None), ClsHead) and not whole_batch:
            for sample in samples if mode == 'train' else labelled:
                count = len(sample.gt_label) if 'gt_label' in sample else 0
                if count != 1 and 'gt_score' not in sample:
                    raise ValueError(
                        f'Expected one label per image, but {sample.get("img_path", "an image")} has {count}. Correct '
                        'the dataset (`with_label=False` gives none), or use a head for several labels, such as '
                        'MultiLabelLinearClsHead.'
                    )
        found = [sample.gt_label for sample in labelled]
        labels = torch.cat(found) if found else torch.empty(0)
        if len(labels):
            check_label_values(labels, num_classes)


def _check_topk(runner: Runner, evaluator: str) -> None:
    num_classes = _num_classes(runner)
    for metric in getattr(runner, evaluator).metrics:
        if isinstance(metric, Accuracy) and num_classes is not None and max(metric.topk) > num_classes:
            raise UserError(
                f'Expected `topk` of {type(metric).__name__} in {evaluator} to be at most {num_classes}, the number '
                f'of classes, but got {metric.topk}. Set its `topk` to 1.'
            )


def _check_every_image(source: str, loader: DataLoader) -> None:
    if not loader.drop_last or not loader.batch_size:
        return
    samples = len(cast(Sized, loader.sampler))
    if left_out := samples % loader.batch_size:
        raise UserError(
            f'Expected {source} to read every image, but `drop_last=True` leaves {left_out} of {samples} per process '
            f'out of the metrics. Set {source}.drop_last=False.'
        )


def _num_classes(runner: Runner) -> Optional[int]:
    return getattr(getattr(plain_model(runner.model), 'head', None), 'num_classes', None)

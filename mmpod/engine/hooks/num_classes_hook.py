"""Finding a head that does not fit the dataset before training starts."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmpod.registry import HOOKS

__all__ = ['NumClassesHook']


@HOOKS.register_module()
class NumClassesHook(Hook):
    """Compare the head's ``num_classes`` with the classes that the training set names.

    A label beyond K ends in an indexing error that names neither, on a GPU in a failed assertion of a kernel.

    Raises:
        ValueError: Before training, if they differ.
    """

    def before_train(self, runner: Runner) -> None:
        """Look at the model and the training set; where one of them does not tell, there is nothing to compare."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        num_classes = getattr(getattr(model, 'head', None), 'num_classes', None)
        classes = (getattr(runner.train_dataloader.dataset, 'metainfo', None) or {}).get('classes')
        if num_classes is not None and classes is not None and num_classes != len(classes):
            raise ValueError(
                f'Expected `num_classes` of {type(model.head).__name__} to be the {len(classes)} classes of the '
                f'training set, but got {num_classes}. Set model.head.num_classes={len(classes)}.'
            )

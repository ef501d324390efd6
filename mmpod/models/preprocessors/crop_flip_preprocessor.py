"""The paper's augmentation, crops and flips, for a whole batch on the device of the model."""

import torch
from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor

from mmpod.functional import crop_and_flip
from mmpod.registry import MODELS
from mmpod.utils.checks import check_integer, check_number

__all__ = ['CropFlipPreprocessor']


@MODELS.register_module()
class CropFlipPreprocessor(ClsDataPreprocessor):
    """mmpretrain's ``ClsDataPreprocessor``, which crops and flips first in training.

    The distribution is that of ``RandomCrop(crop_size=<size of the image>, padding=padding)`` and
    ``RandomFlip(prob=flip_prob)``; leave them out of the pipeline. All images of a batch must have one size.

    Args:
        padding: Pixels of zeros on each side, at least 0.
        flip_prob: Probability of mirroring left and right, from 0 to 1.
        kwargs: Passed to mmpretrain's ``ClsDataPreprocessor``.

    Raises:
        TypeError: An argument has a wrong type.
        ValueError: An argument is out of range; while running: the images of a batch differ in size.
    """

    def __init__(self, padding: int = 4, flip_prob: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        check_integer('padding', padding, 0)
        check_number('flip_prob', flip_prob, 0, 1)
        self.padding = padding
        self.flip_prob = flip_prob

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return the batch as :class:`ClsDataPreprocessor` does, augmented if ``training``."""
        inputs = data['inputs']
        if not isinstance(inputs, torch.Tensor):
            shapes = {tuple(image.shape) for image in inputs}
            if len(shapes) > 1:
                raise ValueError(
                    f'Expected images of one size for CropFlipPreprocessor, but got {sorted(shapes)}. Resize or crop '
                    'them in the pipeline, or take ClsDataPreprocessor with RandomCrop and RandomFlip there.'
                )
            inputs = torch.stack(inputs)
        inputs = self.cast_data(inputs)
        if training:
            inputs = inputs if inputs.dtype == torch.uint8 else inputs.float()  # PyTorch does not index 16-bit images
            # Drawn on the host, from the generator that each epoch seeds, whatever the device.
            tops, lefts = torch.randint(2 * self.padding + 1, (2, len(inputs))).to(inputs.device)
            flips = (torch.rand(len(inputs)) < self.flip_prob).to(inputs.device)
            inputs = crop_and_flip(inputs, tops, lefts, flips, self.padding)
        return super().forward(dict(data, inputs=inputs), training)

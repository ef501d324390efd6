"""The paper's augmentation, crops and flips, for a whole batch on the device of the model."""

import torch
from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor

from mmpod.functional import crop_and_flip
from mmpod.registry import MODELS
from mmpod.utils.checks import check_integer, check_number

__all__ = ['CropFlipPreprocessor']


@MODELS.register_module()
class CropFlipPreprocessor(ClsDataPreprocessor):
    """mmpretrain's preprocessor, which in training crops and flips first.

    The distribution is that of ``RandomCrop(crop_size=<size of the image>, padding=padding)`` and
    ``RandomFlip(prob=flip_prob)`` in a pipeline, which are to be left out there; the images of a batch are of one size.

    Args:
        padding: Pixels of zeros on each side, at least 0.
        flip_prob: Probability of mirroring left and right, from 0 to 1.
        kwargs: Those of mmpretrain's ``ClsDataPreprocessor``.

    Raises:
        TypeError: An argument has a wrong type.
        ValueError: An argument is out of range.
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
        inputs = self.cast_data(inputs if isinstance(inputs, torch.Tensor) else torch.stack(inputs))
        if training:
            # Drawn on the host, from the generator that each epoch seeds, whatever the device.
            tops, lefts = torch.randint(2 * self.padding + 1, (2, len(inputs))).to(inputs.device)
            flips = (torch.rand(len(inputs)) < self.flip_prob).to(inputs.device)
            inputs = crop_and_flip(inputs, tops, lefts, flips, self.padding)
        return super().forward(dict(data, inputs=inputs), training)

"""The paper's augmentation, crops and flips, for a whole batch on the device of the model."""

from typing import Any, Optional

import torch
from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor
from mmpretrain.structures import DataSample

from mmpod.functional import crop_and_flip
from mmpod.registry import MODELS
from mmpod.utils.checks import check_integer, check_number

__all__ = ['CropFlipPreprocessor']


@MODELS.register_module()
class CropFlipPreprocessor(ClsDataPreprocessor):
    """A ``ClsDataPreprocessor`` that first crops and flips the images in training.

    The distribution is that of ``RandomCrop(crop_size=<size of the image>, padding=padding)`` and
    ``RandomFlip(prob=flip_prob)``; remove those from the pipeline. All images of a batch must have one size.

    Args:
        padding: Pixels of zeros on each side, at least 0.
        flip_prob: Probability of mirroring left and right, from 0 to 1.
        crop_size: The height and width that the images must have, in pixels; None accepts any.
        kwargs: Passed to mmpretrain's ``ClsDataPreprocessor``.

    Raises:
        RuntimeError: While running: the images of a batch differ in size.
        ValueError: While running: the images do not have the size ``crop_size``.
    """

    def __init__(self, padding: int = 4, flip_prob: float = 0.5, crop_size: Optional[int] = None, **kwargs: Any):
        super().__init__(**kwargs)
        if crop_size is not None:
            check_integer('crop_size', crop_size, 1)
        self.crop_size = crop_size
        check_integer('padding', padding, 0)
        check_number('flip_prob', flip_prob, 0, 1)
        self.padding = padding
        self.flip_prob = flip_prob
        self._non_blocking = True  # of MMEngine's `cast_data`, which ClsDataPreprocessor does not pass on

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return the batch as :class:`ClsDataPreprocessor` does, augmented if ``training``.

        In training without soft labels, the integer labels of the batch go to the device as one tensor, in one
        ``DataSample``: heads concatenate the labels of all samples anyway.
        """
        inputs, samples = data['inputs'], data.get('data_samples')
        if not isinstance(inputs, torch.Tensor):
            inputs = torch.stack(inputs)
        inputs = self.cast_data(inputs)
        if inputs.ndim == 5:  # a whole batch as one item
            inputs = inputs.flatten(0, 1)
        if self.crop_size is not None and inputs.shape[-2:] != (self.crop_size, self.crop_size):
            raise ValueError(
                f'Expected images of {self.crop_size} x {self.crop_size} pixels, the `crop_size`, but got '
                f'{tuple(inputs.shape[-2:])}. Resize them, or crop in the pipeline of the dataset instead.'
            )
        if training:
            inputs = inputs if inputs.dtype == torch.uint8 else inputs.float()  # PyTorch cannot index 16-bit images
            # Drawn on the CPU, from the generator that each epoch seeds, for every device.
            offsets = torch.randint(2 * self.padding + 1, (2, len(inputs)))
            flips = torch.rand(len(inputs)) < self.flip_prob
            tops, lefts, flips = self.cast_data([*offsets, flips])
            inputs = crop_and_flip(inputs, tops, lefts, flips, self.padding)
        if samples and 'gt_label' in samples[0] and 'gt_score' not in samples[0]:
            labels = torch.cat([sample.gt_label for sample in samples])
            if training and not self.to_onehot:
                samples = [DataSample().set_gt_label(self.cast_data(labels))]
            elif len(samples) != len(inputs):
                samples = [DataSample().set_gt_label(label) for label in labels]
        return super().forward(dict(data, inputs=inputs, data_samples=samples), training)

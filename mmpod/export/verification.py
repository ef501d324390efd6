"""Check that an exported file gives the outputs of its model for the same images."""

from typing import Callable

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

__all__ = ['Classify', 'largest_difference']

Classify = Callable[[Tensor], tuple[Tensor, Tensor]]


def largest_difference(model: nn.Module, exported: Classify, inputs: Tensor, pixels: Tensor, tolerance: float) -> float:
    """Return the largest difference of the outputs, divided by max(1, largest output).

    The model predicts ``inputs`` as in a test, and the exported file predicts the same images as ``pixels``: first all
    of them in one batch, then a single one.

    Raises:
        ValueError: The outputs differ by more than the tolerance or are not finite, or the labels differ.
    """
    largest = 0.0
    for count in (len(inputs), 1):
        data = dict(inputs=list(inputs[:count]), data_samples=[DataSample() for _ in range(count)])
        data = model.data_preprocessor(data, False)
        feats = model.extract_feat(data['inputs'])
        expected, samples = model.head(feats), model.head.predict(feats, data['data_samples'])
        got, labels = exported(pixels[:count])
        for source, output in (('model', expected), ('exported file', got)):
            if not torch.isfinite(output).all():  # NaN would pass the comparisons below
                raise ValueError(
                    f'Expected finite outputs, but the {source} gives NaN or infinity. Nothing was kept; take a '
                    'checkpoint from before its training diverged, or another --format if only the file gives them.'
                )
        scale = expected.abs().max().clamp_min(1)
        largest = max(largest, ((got - expected).abs().max() / scale).item())
        best = expected.topk(2, dim=1).values
        clear = best[:, 0] - best[:, 1] > 2 * tolerance * scale
        predicted = torch.cat([sample.pred_label for sample in samples])
        if not largest <= tolerance or not torch.equal(labels[clear], predicted[clear]):
            raise ValueError(
                'Expected the exported file to give the labels of the model, and outputs that differ from its outputs '
                f'by at most {tolerance:g} x max(1, largest output), but they differ by {largest:g} x max(1, largest '
                'output). Nothing was kept; try another --format or version of PyTorch.'
            )
    return largest

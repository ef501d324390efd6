"""A trained classifier as one function from pixels to cosines and labels."""

from typing import Optional

from mmpretrain.models.classifiers import ImageClassifier
from torch import Tensor, nn

from mmpod.engine.trained_model import check_one_label
from mmpod.models import GDAClassifier, PrototypeHead

__all__ = ['ExportWrapper']


class ExportWrapper(nn.Module):
    """Pixels in, similarities and labels out; the config's own ``data_preprocessor`` does the normalisation inside.

    Args:
        model: A trained classifier; it is put in evaluation mode.

    Attributes:
        channel_order: ``'rgb'`` or ``'bgr'``, in which images reach the model's ``data_preprocessor``; None if they
            do not have three channels. To be set, see :func:`~mmpod.export.sample_images.export_order`.
        output: What the similarities are, ``'cosines'`` or ``'logits'``.

    Raises:
        TypeError: The model does not decide by the similarities of its head.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        if isinstance(model, GDAClassifier):
            raise TypeError(
                'Expected a model that decides by its head, but got GDAClassifier, whose Gaussians need triangular '
                'solves in float64 and are kept in a separate file. Export the config without GDA, or serve it '
                'through mmpod.Inferencer(CONFIG, CHECKPOINT, fitted=FILE).'
            )
        if not isinstance(model, ImageClassifier) or not model.with_head:
            raise TypeError(
                f'Expected an ImageClassifier with a head, but got {type(model).__name__}. Export a classifier.'
            )
        check_one_label(model)
        self.model = model.requires_grad_(False)
        self.channel_order: Optional[str] = None
        head = model.head
        self.output = 'cosines' if isinstance(head, PrototypeHead) and head.similarity == 'cosine' else 'logits'
        self.eval()  # as a whole: PyTorch's older exporter gives all parts the mode of the whole when it is done

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines (or logits), shape (N, K), and labels, shape (N,), int64.

        Args:
            images: Shape (N, C, H, W), floating point, from 0 to 255; RGB if there are three channels.

        Raises:
            TypeError: The output of the head is not one tensor (N, K).
        """
        loaded = images.flip(1) if self.channel_order == 'bgr' else images
        inputs = self.model.data_preprocessor(dict(inputs=loaded), training=False)['inputs']
        similarities = self.model.head(self.model.extract_feat(inputs))
        if not isinstance(similarities, Tensor) or similarities.ndim != 2:
            raise TypeError(
                f'Expected `head` to give one tensor (N, K), but {type(self.model.head).__name__} gives '
                f'{type(similarities).__name__}. Give the model a head with one output, such as mmpod.PEDCCHead.'
            )
        return similarities, similarities.argmax(dim=1)

    def normalisation(self) -> Optional[dict]:
        """Return ``mean``, ``std`` and the ``order`` of three channels in the network; None without normalisation."""
        preprocessor = self.model.data_preprocessor
        if getattr(preprocessor, 'mean', None) is None:
            return None
        values = {name: getattr(preprocessor, name).flatten().tolist() for name in ('mean', 'std')}
        if self.channel_order is None:
            return values
        flipped = (self.channel_order == 'bgr') != bool(getattr(preprocessor, 'to_rgb', False))
        return dict(values, order='BGR' if flipped else 'RGB')

"""A trained classifier as one function from pixels to cosines and labels, for formats that know neither config."""

from typing import Iterator, Optional

from mmengine.config import Config
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.registry import DATASETS
from torch import Tensor, nn

from mmpod.models import GDAClassifier, PrototypeHead

__all__ = ['ExportWrapper', 'image_size', 'loads_bgr']

SIZES = dict(CenterCrop='crop_size', Resize='scale')  # transforms after which all images are of one size


class ExportWrapper(nn.Module):
    """Pixels in, similarities and labels out; the config's own ``data_preprocessor`` does the normalisation inside.

    Args:
        model: A trained classifier; it is put in evaluation mode.
        bgr: The images that the model was trained on reached its preprocessor in the order BGR, see :func:`loads_bgr`.

    Attributes:
        output: What the similarities are, ``'cosines'`` or ``'logits'``.

    Raises:
        TypeError: The model does not decide by the similarities of its head.
    """

    def __init__(self, model: nn.Module, bgr: bool):
        super().__init__()
        if isinstance(model, GDAClassifier):
            raise TypeError(
                'Expected a model that decides by its head, but got GDAClassifier, whose Gaussians need triangular '
                'solves in float64 and are kept in a file of their own. Export the config without GDA, or serve it '
                'through ImageClassificationInferencer(CONFIG, CHECKPOINT, fitted=FILE).'
            )
        if not isinstance(model, ImageClassifier) or not model.with_head:
            raise TypeError(
                f'Expected an ImageClassifier with a head, but got {type(model).__name__}. Export a classifier.'
            )
        self.model = model.requires_grad_(False)
        self.bgr = bgr
        head = model.head
        self.output = 'cosines' if isinstance(head, PrototypeHead) and head.similarity == 'cosine' else 'logits'
        self.eval()  # as a whole: PyTorch's older exporter gives all parts the mode of the whole when it is done

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classify.

        Args:
            images: Shape (N, 3, H, W), floating point, RGB, from 0 to 255.

        Returns:
            tuple[Tensor, Tensor]: Cosines (or logits), shape (N, K), and labels, shape (N,), int64.

        Raises:
            TypeError: The head gives no (N, K) similarities.
        """
        loaded = images.flip(1) if self.bgr else images
        inputs = self.model.data_preprocessor(dict(inputs=loaded), training=False)['inputs']
        similarities = self.model.head(self.model.extract_feat(inputs))
        if not isinstance(similarities, Tensor) or similarities.ndim != 2:
            raise TypeError(
                f'Expected `head` to give one tensor (N, K), but {type(self.model.head).__name__} gives '
                f'{type(similarities).__name__}. Give the model a head with one output, such as mmpod.PEDCCHead.'
            )
        return similarities, similarities.argmax(dim=1)

    def normalisation(self) -> Optional[dict]:
        """Return ``mean``, ``std`` and the ``order`` of the channels that the network sees; None without."""
        preprocessor = self.model.data_preprocessor
        if getattr(preprocessor, 'mean', None) is None:
            return None
        flipped = self.bgr != bool(getattr(preprocessor, 'to_rgb', False))
        values = {name: getattr(preprocessor, name).flatten().tolist() for name in ('mean', 'std')}
        return dict(values, order='BGR' if flipped else 'RGB')


def loads_bgr(cfg: Config) -> bool:
    """Return whether images reach the preprocessor as BGR: from files through OpenCV; datasets of arrays hold RGB."""
    return any(_name(transform) == 'LoadImageFromFile' for transform in _transforms(cfg))


def image_size(cfg: Config) -> Optional[tuple[int, int]]:
    """Return (height, width) of test images where the config or its dataset fixes it, else None.

    That is the last centre crop or resize to a square in the test pipeline, or the ``IMAGE_SIZE`` of the dataset.
    """
    sizes = [
        transform.get(SIZES[_name(transform)])  # None of a resize by a factor
        for transform in _transforms(cfg)
        if _name(transform) in SIZES and not transform.get('keep_ratio')
    ]
    dataset = list(_datasets(cfg))[-1]['type']
    dataset = DATASETS.get(dataset) if isinstance(dataset, str) else dataset
    size = sizes[-1] if sizes else getattr(dataset, 'IMAGE_SIZE', None)
    if isinstance(size, int):
        return size, size
    return tuple(size) if size is not None and size[0] == size[1] else None


def _name(transform: dict) -> str:
    name = transform['type']
    return (name if isinstance(name, str) else name.__name__).split('.')[-1]  # a class in pure Python configs


def _datasets(cfg: Config) -> Iterator[dict]:
    dataset = cfg.test_dataloader.dataset
    while dataset is not None:
        yield dataset
        dataset = dataset.get('dataset')  # of a wrapper


def _transforms(cfg: Config) -> list[dict]:
    return [transform for dataset in _datasets(cfg) for transform in dataset.get('pipeline') or []]

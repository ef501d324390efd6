"""Classify image files and arrays with a trained model, through its test pipeline."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, default_collate
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from mmpod.datasets import UnlabelledImages, file_pipeline
from mmpod.engine.trained_model import check_one_label, get_model
from mmpod.utils.checks import check_integer
from mmpod.utils.errors import UserError

__all__ = ['Inferencer']

Image = Union[str, Path, np.ndarray]


class Inferencer:
    """Classify images: files go through the config's test pipeline, and arrays are classified as if read from a file.

    It is strict where mmpretrain's ``ImageClassificationInferencer`` can silently be wrong: the checkpoint must fit,
    the channel order of arrays must be given, and files are read as the test set reads them. If the test set is
    one of mmpod's with images of one size (digits, CIFAR, Tiny ImageNet), images are first resized to it.

    Args:
        model: Name, file or content of a config.
        checkpoint: Its weights; None takes those published under the name, see :func:`~mmpod.engine.get_model`.
        device: Where it runs, such as ``'cuda'``; the CPU by default.
        **kwargs: Changes to the config's ``model``.

    Attributes:
        model: The classifier.
        classes: Names of the classes, or None if they are not known.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        TypeError: The head gives several labels per image.
        UserError: The checkpoint does not fit, or the config does not say how to read an image.

    Example::

        inferencer = mmpod.Inferencer('pod_resnet18w8_digits')
        inferencer('seven.png')[0]['pred_class']
    """

    def __init__(
        self,
        model: Union[str, Path, Config],
        checkpoint: Union[str, Path, None] = None,
        device: Union[str, torch.device, None] = None,
        **kwargs: Any,
    ):
        self.model = get_model(model, True if checkpoint is None else checkpoint, device=device, **kwargs)
        check_one_label(self.model)
        self.classes: Optional[Sequence[str]] = self.model._dataset_meta.get('classes')
        loader = self.model._config.get('test_dataloader')
        if loader is None:
            raise UserError(
                'Expected a config with `test_dataloader`, whose pipeline reads images, but got one without.'
            )
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            self.pipeline = Compose(file_pipeline(loader.dataset, resize=True))
        self._keeps_depth = any(getattr(step, 'color_type', None) == 'unchanged' for step in self.pipeline.transforms)

    def __call__(
        self, images: Union[Image, Sequence[Image]], channel_order: Optional[str] = None, batch_size: int = 1
    ) -> list[dict]:
        """Classify one image or several.

        Args:
            images: Path of an image, or of a folder of them, which is searched at any depth; array of shape (H, W),
                (H, W, 1), (H, W, 3) or (H, W, 4), uint8 or uint16; or a list of paths and arrays. An alpha channel is
                ignored. uint16 is scaled from 16 bits, 0 to 65,535, even if a camera filled only 12 of them; a pipeline
                with ``color_type='unchanged'``, which may be meant for 16 bits, takes it from files only.
            channel_order: ``'rgb'`` (Pillow, imageio, torchvision) or ``'bgr'`` (OpenCV). Required for colour arrays;
                files have a fixed order.
            batch_size: Number of images that go through the network at a time. More than 1 needs a test pipeline that
                makes all images the same size.

        Returns:
            list[dict]: One per image, in their order, with ``pred_label`` (int), ``pred_class`` (str, if names are
            known), ``pred_score`` (float), ``pred_scores``, (K,), float32 (except for models of more than 32,768
            classes), and ``img_path`` for a file.

        Raises:
            FileNotFoundError: There is no such file, or no image in the folder.
            TypeError: An image is neither a path nor an array of integers.
            ValueError: A file is not an image, an array is of another shape or its channel order is not given, or
                ``batch_size`` is below 1.
            RuntimeError: The images of a batch differ in size.
        """
        check_integer('batch_size', batch_size, 1)
        sources = _sources(images, channel_order)
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            batches = (sources[start : start + batch_size] for start in range(0, len(sources), batch_size))
            samples = [
                sample
                for batch in batches
                for sample in self.model.test_step(default_collate([self._read(source, folder) for source in batch]))
            ]
        return [self._result(sample, source) for sample, source in zip(samples, sources)]

    def _read(self, source: Union[str, np.ndarray], folder: str) -> dict:
        path = source if isinstance(source, str) else f'{folder}/array.png'
        if not isinstance(source, str) and source.dtype == np.uint16:
            if self._keeps_depth:
                raise ValueError(
                    "Expected an array of dtype uint8 for a pipeline with color_type='unchanged', but got uint16. "
                    'Convert it, (image >> 8).astype(np.uint8), or save it as a PNG file for a model of 16-bit images.'
                )
            source = (source >> 8).astype(np.uint8)  # as OpenCV reads files; Pillow would clip gray ones at 255
        try:
            if not isinstance(source, str):  # the pipeline reads it like all other files
                cv2.imwrite(path, source, [cv2.IMWRITE_PNG_COMPRESSION, 0])
            return self.pipeline(dict(img_path=path, sample_idx=0))
        except Exception as error:  # from OpenCV, Pillow, or whatever reads it
            name = f'`{source}`' if isinstance(source, str) else f'an array of shape {source.shape}'
            raise ValueError(f'Expected {name} to be an image that the pipeline reads, but got: {error}') from error

    def _result(self, sample: DataSample, source: Union[str, np.ndarray]) -> dict:
        every = 'pred_score' in sample
        label, scores = int(sample.pred_label), sample.pred_score if every else sample.topk_score
        return dict(
            pred_label=label,
            **(dict(pred_class=self.classes[label]) if self.classes is not None else {}),
            pred_score=float(scores.max()),
            **(dict(pred_scores=scores.cpu().numpy()) if every else {}),
            **(dict(img_path=source) if isinstance(source, str) else {}),
        )


def _sources(images: Union[Image, Sequence[Image]], channel_order: Optional[str]) -> list[Union[str, np.ndarray]]:
    """Return each image as the path of an existing file, or as an array in the order of OpenCV."""
    if isinstance(images, (str, Path)) and Path(images).is_dir():
        return [
            info['img_path'] for info in UnlabelledImages(str(images), pipeline=[], lazy_init=True).load_data_list()
        ]
    return [
        _in_bgr(image, channel_order) if isinstance(image, np.ndarray) else _file(image)
        for image in (images if isinstance(images, (list, tuple)) else [images])
    ]


def _file(image: object) -> str:
    if not isinstance(image, (str, Path)):
        raise TypeError(
            f'Expected an image to be a path or a NumPy array, but got {type(image).__name__}. For a Pillow image use '
            "np.asarray(ImageOps.exif_transpose(image).convert('RGB')) and channel_order='rgb'."
        )
    if '://' not in str(image) and not Path(image).is_file():
        raise FileNotFoundError(f'Expected the image `{Path(image).absolute()}` to be a file, but it does not exist.')
    return str(image)


def _in_bgr(image: np.ndarray, channel_order: Optional[str]) -> np.ndarray:
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(
            f'Expected an image array of dtype uint8 (0 to 255) or uint16, but got {image.dtype}. Scale it to 0 to 255 '
            'and round: (255 * image).round().astype(np.uint8) if it is from 0 to 1.'
        )
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3, 4) or image.size == 0:
        raise ValueError(
            f'Expected an image array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), but got {image.shape}. Give '
            'several images as a list, and put the channels last.'
        )
    if channels == 1:
        return np.ascontiguousarray(image)
    if channel_order not in ('rgb', 'bgr'):
        raise ValueError(
            f"Expected `channel_order` to be 'rgb' or 'bgr' for colour arrays, but got {channel_order!r}. OpenCV "
            "gives 'bgr'; Pillow, imageio and torchvision give 'rgb'."
        )
    order = [2, 1, 0, 3] if channel_order == 'rgb' else [0, 1, 2, 3]
    return np.ascontiguousarray(image[..., order[:channels]])

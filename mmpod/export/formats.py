"""Trained classifiers as ONNX, TorchScript or `torch.export` files, each run once more before it is kept."""

import hashlib
import inspect
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Optional, Union
from unittest.mock import patch

import torch
from mmengine.config import Config
from mmpretrain.models.backbones.mixmim import MixMIMBlock
from mmpretrain.models.utils.attention import ShiftWindowMSA
from torch import Tensor

from mmpod.engine.checkpoints import check_checkpoint_file, checkpoint_classes, load_weights
from mmpod.engine.class_names import check_same_classes, configured_classes
from mmpod.engine.trained_model import build_model
from mmpod.export.classifier import ExportWrapper
from mmpod.export.sample_images import export_order, sample_images
from mmpod.export.verification import Classify, largest_difference
from mmpod.utils.checks import check_choice, check_number, check_packages
from mmpod.utils.files import check_output_file
from mmpod.version import __version__

__all__ = ['FORMATS', 'export_classifier', 'load_exported']


def export_classifier(
    cfg: Config,
    checkpoint: Union[str, Path],
    format: str = 'onnx',
    out: Union[str, Path, None] = None,
    images: Union[str, Path, None] = None,
    tolerance: float = 1e-4,
    channel_order: Optional[str] = None,
    allow_missing: bool = False,
) -> dict:
    """Write a classifier with its normalisation to a file, and further facts to a JSON file next to it.

    The file takes ``images`` (N, C, H, W), float32, 0 to 255, RGB if C is 3, for any N, and gives ``cosines``
    (``logits`` for heads that do not compare directions) (N, K), float32, and ``labels`` (N,), int64. Before it is kept
    it is loaded and run on images of the test set; its outputs must be those of the model, which gets the same images
    through the config's own test pipeline and preprocessor. These images also determine C, H and W.

    Args:
        cfg: Config of the model.
        checkpoint: Its weights.
        format: ``'onnx'``, ``'torchscript'`` or ``'torch_export'``.
        out: File to write; by default the checkpoint's name with the format's suffix.
        images: Folder of images to compare on, at any depth, the first 64 in the order of their paths; by default 8
            images of the test set.
        tolerance: Largest difference allowed, divided by max(1, largest output).
        channel_order: ``'rgb'`` or ``'bgr'``, in which images reach the ``data_preprocessor``. Only for a test set
            whose order cannot be found.
        allow_missing: Export even if the checkpoint does not hold all weights of the model.

    Returns:
        dict: The content of the JSON file, including ``largest_difference``, see ``tolerance``.

    Raises:
        FileNotFoundError: The checkpoint or the folder does not exist.
        ModuleNotFoundError: A package for the format is not installed.
        TypeError: The model does not decide by the similarities of its head.
        UserError: ``out`` cannot be written.
        ValueError: An argument is out of range, the test set cannot be read, the images differ in size, the order of
            the channels cannot be found, the file has no weights or those of another model, or the outputs differ or
            are not finite.
    """
    check_choice('format', format, list(FORMATS))
    check_number('tolerance', tolerance, 0)
    _require_packages(format)
    checkpoint, (suffix, write) = Path(checkpoint), FORMATS[format]
    out = checkpoint.with_suffix(suffix) if out is None else Path(out)
    if out.suffix != suffix:
        raise ValueError(f'Expected `out` to end in {suffix} for format {format}, but got `{out}`. Rename it.')
    check_checkpoint_file(checkpoint)
    check_output_file('`out`', out)
    if cfg.get('test_dataloader') is None:
        raise ValueError('Expected a config with a `test_dataloader`, whose pipeline says what images the model takes.')
    if channel_order is not None:
        check_choice('channel_order', channel_order, ['rgb', 'bgr'])
    classifier = ExportWrapper(build_model(cfg, device='cpu'))
    samples = sample_images(cfg, images)
    shapes = {tuple(sample.shape) for sample in samples}
    if len(shapes) != 1:
        raise ValueError(
            f'Expected images of one size after the test pipeline, but got {sorted(shapes)}. Add a Resize to it.'
        )
    (shape,) = shapes
    classifier.channel_order = export_order(cfg, shape[0], channel_order)
    inputs = torch.stack(samples).float()
    pixels = inputs.flip(1) if classifier.channel_order == 'bgr' else inputs
    classes = checkpoint_classes(load_weights(classifier.model, checkpoint, allow_missing))
    configured = configured_classes(cfg.test_dataloader.dataset)
    check_same_classes({'the checkpoint': classes, 'the config': configured})

    with tempfile.TemporaryDirectory(dir=out.parent) as temporary, torch.no_grad():
        written = Path(temporary) / f'model{suffix}'
        batch = torch.zeros(2, *shape)  # a single image would be taken for a constant batch size
        classifier(batch)  # refuses a head without one output
        try:
            with _windows_of_any_batch():
                write(classifier, batch, written)
        except Exception as error:  # from PyTorch's exporters, of any type and length
            reason = str(error).strip().partition('\n')[0].rstrip('.')
            raise ValueError(
                f'Expected a model that PyTorch can write as {format}, but got {type(error).__name__}: {reason}. Try '
                f'another --format: {", ".join(other for other in FORMATS if other != format)}.'
            ) from error
        difference = largest_difference(classifier.model, load_exported(written), inputs, pixels, tolerance)
        os.replace(written, out)
    eight_bit = all(sample.dtype == torch.uint8 for sample in samples)
    facts = dict(
        format=format,
        input=dict(
            name='images',
            shape=['N', *shape],
            type='float32',
            order='RGB' if shape[0] == 3 else 'that of the test pipeline',
            range=[0, 255] if eight_bit else 'that of the test pipeline',
        ),
        outputs=[classifier.output, 'labels'],
        normalisation_inside=classifier.normalisation(),
        classes=classes or configured,
        config=Path(cfg.filename).name if cfg.filename else 'the config',
        checkpoint=dict(name=checkpoint.name, sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest()),
        versions=dict(mmpod=__version__, torch=torch.__version__),
        largest_difference=difference,
        compared_on=f'{len(samples)} images',
    )
    out.with_name(out.name + '.json').write_text(json.dumps(facts, indent=2) + '\n')
    return dict(facts, file=str(out))


def load_exported(path: Union[str, Path]) -> Classify:
    """Return a function of images (N, C, H, W), float32, that runs an exported file on the CPU.

    It gives cosines (or logits) (N, K) and labels (N,).
    """
    path = str(path)
    if path.endswith('.onnx'):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])

        def run(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            cosines, labels = session.run(None, dict(images=images.numpy()))
            return torch.from_numpy(cosines), torch.from_numpy(labels)

        return run
    if path.endswith('.pt2'):
        return torch.export.load(path).module()
    return torch.jit.load(path)


@contextmanager
def _windows_of_any_batch() -> Iterator[None]:
    """Let the windows of Swin, DaViT and MixMIM be joined for any batch: they write the one traced into the graph."""

    def window_reverse(windows: Tensor, height: int, width: int, size: int) -> Tensor:
        tiles = windows.view(-1, height // size, width // size, size, size, windows.shape[-1])
        return tiles.transpose(2, 3).flatten(1, 2).flatten(2, 3)

    with ExitStack() as patches:
        for kind in (ShiftWindowMSA, MixMIMBlock):
            patches.enter_context(patch.object(kind, 'window_reverse', staticmethod(window_reverse)))
        yield


def _require_packages(format: str) -> None:
    if format == 'torch_export' and 'dynamic_shapes' not in inspect.signature(torch.export.export).parameters:
        raise ValueError(
            f'Expected PyTorch 2.2 or later for format torch_export, but got {torch.__version__}. '
            'Use torchscript or onnx.'
        )
    # The exporter that is PyTorch's default since 2.9 is written in onnxscript.
    newer = getattr(inspect.signature(torch.onnx.export).parameters.get('dynamo'), 'default', False)
    if format == 'onnx':
        check_packages('format onnx', 'onnx', 'onnxruntime', *(['onnxscript'] if newer else []))


def _write_onnx(classifier: ExportWrapper, images: Tensor, path: Path) -> None:
    import onnx

    names = ['images', classifier.output, 'labels']
    # Each version's own exporter: TorchScript's before 2.9, that of torch.export since.
    torch.onnx.export(
        classifier,
        (images,),
        str(path),
        input_names=names[:1],
        output_names=names[1:],
        dynamic_axes={name: {0: 'batch'} for name in names},
        verbose=False,
    )
    onnx.save(onnx.load(str(path)), str(path))  # one file: the newer exporter puts the weights into another


def _write_torchscript(classifier: ExportWrapper, images: Tensor, path: Path) -> None:
    torch.jit.trace(classifier, images, check_trace=False).save(str(path))


def _write_torch_export(classifier: ExportWrapper, images: Tensor, path: Path) -> None:
    batch = torch.export.Dim('batch')
    torch.export.save(torch.export.export(classifier, (images,), dynamic_shapes=dict(images={0: batch})), str(path))


# The suffix and the writer of each format.
FORMATS = dict(
    onnx=('.onnx', _write_onnx), torchscript=('.pt', _write_torchscript), torch_export=('.pt2', _write_torch_export)
)

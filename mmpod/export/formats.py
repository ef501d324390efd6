"""Trained classifiers as ONNX, TorchScript or `torch.export` files, each run once more before it is kept."""

import hashlib
import inspect
import json
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Optional, Union

import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmpretrain import get_model
from mmpretrain.datasets import remove_transform
from mmpretrain.registry import TRANSFORMS
from torch import Tensor, nn

from mmpod.datasets.image_folder import images_in, read_rgb
from mmpod.engine.checkpoints import checkpoint_classes, load_weights
from mmpod.engine.classes import check_same_classes
from mmpod.export.classifier import ExportWrapper, image_size, loads_bgr
from mmpod.utils.checks import check_choice, check_number
from mmpod.version import __version__

__all__ = ['FORMATS', 'export_classifier', 'load_exported', 'read_images']

SUFFIXES = dict(onnx='.onnx', torchscript='.pt', torch_export='.pt2')
FORMATS = tuple(SUFFIXES)
Classify = Callable[[Tensor], tuple[Tensor, Tensor]]


def export_classifier(
    cfg: Config,
    checkpoint: Union[str, Path],
    format: str = 'onnx',
    out: Union[str, Path, None] = None,
    size: Optional[tuple[int, int]] = None,
    images: Union[str, Path, None] = None,
    tolerance: float = 1e-4,
    allow_missing: bool = False,
) -> dict:
    """Write a classifier with its normalisation to a file, and beside it what the file does not say, as JSON.

    The file takes ``images`` (N, 3, H, W), float32, RGB, 0 to 255, for any N, and gives ``cosines`` (``logits`` for
    heads that do not compare directions) (N, K), float32, and ``labels`` (N,), int64. Before it is kept it is loaded
    and run on two batches of other sizes than it was written with; its outputs must be those of the model.

    Args:
        cfg: Config of the model.
        checkpoint: Its weights.
        format: ``'onnx'``, ``'torchscript'`` or ``'torch_export'``.
        out: File to write; by default the checkpoint's name with the format's suffix.
        size: Height and width of the images; by default what the config fixes.
        images: Folder of images to compare on, the first 64 in the order of their names; by default noise.
        tolerance: Largest difference allowed, relative to the largest output or 1, whichever is larger.
        allow_missing: Export a model of which the checkpoint does not hold all weights.

    Returns:
        dict: What the JSON file holds, among it ``largest_difference``.

    Raises:
        FileNotFoundError: There is no such checkpoint or no such folder.
        ModuleNotFoundError: A package for the format is not installed.
        TypeError: The model does not decide by the similarities of its head.
        ValueError: An argument is out of range, the file has no weights or those of another model, or the outputs
            differ or are not finite.
    """
    check_choice('format', format, FORMATS)
    check_number('tolerance', tolerance, 0)
    _require_packages(format)
    checkpoint, suffix = Path(checkpoint), SUFFIXES[format]
    out = checkpoint.with_suffix(suffix) if out is None else Path(out)
    if out.suffix != suffix:
        raise ValueError(f'Expected `out` to end in {suffix} for format {format}, but got `{out}`. Rename it.')
    size = size or image_size(cfg)
    if size is None:
        raise ValueError(
            "Expected `size` of the images, because the config's test pipeline does not fix it, but got none. "
            'Name it: --image-size HEIGHT WIDTH.'
        )
    if not checkpoint.is_file():
        raise FileNotFoundError(f'Expected `checkpoint` to be a file, but got `{checkpoint}`. Train first.')
    classifier = ExportWrapper(get_model(cfg, device='cpu'), loads_bgr(cfg))
    classes = _load_weights(classifier.model, checkpoint, allow_missing)
    noise = torch.randint(0, 256, (8, 3, *size), generator=torch.Generator().manual_seed(0)).float()
    pixels = noise if images is None else read_images(Path(images), cfg, size)

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder, torch.no_grad():
        written = Path(folder) / f'model{suffix}'
        # A single image would be taken for a constant batch size.
        WRITERS[format](classifier, noise[:2], written)
        difference = _compare(classifier, load_exported(written), pixels, tolerance)
        os.replace(written, out)
    facts = dict(
        format=format,
        input=dict(name='images', shape=['N', 3, *size], type='float32', order='RGB', range=[0, 255]),
        outputs=[classifier.output, 'labels'],
        normalisation_inside=classifier.normalisation(),
        classes=classes,
        config=_name(cfg),
        checkpoint=dict(name=checkpoint.name, sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest()),
        versions=dict(mmpod=__version__, torch=torch.__version__),
        largest_difference=difference,
        compared_on=f'{len(pixels)} images' + (' of noise' if images is None else ''),
    )
    out.with_name(out.name + '.json').write_text(json.dumps(facts, indent=2) + '\n')
    return dict(facts, file=str(out))


def load_exported(path: Union[str, Path]) -> Classify:
    """Return a function of images (N, 3, H, W), float32, that runs an exported file on the CPU.

    Returns:
        Callable: Gives cosines (or logits) (N, K) and labels (N,).
    """
    path = str(path)
    if path.endswith('.onnx'):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
        return lambda images: tuple(map(torch.from_numpy, session.run(None, dict(images=images.numpy()))))
    if path.endswith('.pt2'):
        return torch.export.load(path).module()
    return torch.jit.load(path)


def _require_packages(format: str) -> None:
    if format == 'torch_export' and 'dynamic_shapes' not in inspect.signature(torch.export.export).parameters:
        raise ValueError(
            f'Expected PyTorch 2.2 or later for format torch_export, but got {torch.__version__}. '
            'Take torchscript or onnx.'
        )
    # The exporter that is PyTorch's default since 2.9 is written in onnxscript.
    newer = getattr(inspect.signature(torch.onnx.export).parameters.get('dynamo'), 'default', False)
    names = ('onnx', 'onnxruntime', *(['onnxscript'] if newer else [])) if format == 'onnx' else ()
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f'Expected {", ".join(names)} for format onnx, but {", ".join(missing)} cannot be imported. '
            f'Run: pip install {" ".join(missing)}'
        )


def _name(cfg: Config) -> str:
    return Path(cfg.filename).name if cfg.filename else 'the config'


def _load_weights(model: nn.Module, checkpoint: Path, allow_missing: bool) -> Optional[list[str]]:
    """Load all weights and return the names of the classes, if they are known."""
    classes = checkpoint_classes(load_weights(model, checkpoint, allow_missing))
    configured = model._dataset_meta.get('classes')
    check_same_classes({'the checkpoint': classes, 'the config': configured})
    return classes or (configured and list(configured))


def read_images(folder: Path, cfg: Config, size: tuple[int, int]) -> Tensor:
    """Return the first 64 images of a folder, shape (N, 3, H, W), RGB, as the test pipeline gives them.

    Raises:
        FileNotFoundError: There is none.
        ValueError: A file is no image, or of another size than (H, W) after the pipeline.
    """
    bgr = loads_bgr(cfg)
    transforms = remove_transform(cfg.test_dataloader.dataset.get('pipeline', []), 'LoadImageFromFile')
    pipeline = Compose([TRANSFORMS.build(transform) for transform in transforms])
    rows = []
    for path in images_in(folder)[:64]:
        image = read_rgb(path)
        image = image[..., ::-1] if bgr else image
        row = pipeline(dict(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2]))['inputs'].float()
        if tuple(row.shape[1:]) != tuple(size):
            raise ValueError(
                f'Expected images of {size[0]} x {size[1]} pixels after the test pipeline, but `{path}` has '
                f'{row.shape[1]} x {row.shape[2]}. Resize it, or set --image-size.'
            )
        rows.append(row.flip(0) if bgr else row)
    return torch.stack(rows)


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


WRITERS = dict(onnx=_write_onnx, torchscript=_write_torchscript, torch_export=_write_torch_export)


def _compare(classifier: Classify, exported: Classify, pixels: Tensor, tolerance: float) -> float:
    """Return the largest relative difference, of one batch of all images and one of a single image."""
    largest = 0.0
    for batch in (pixels, pixels[:1]):
        (expected, labels), (got, got_labels) = classifier(batch), exported(batch)
        for source, output in (('model', expected), ('exported file', got)):
            if not torch.isfinite(output).all():  # with NaN, no comparison below would tell
                raise ValueError(
                    f'Expected finite outputs, but the {source} gives NaN or infinity. Nothing was kept; take a '
                    'checkpoint from before its training diverged, or another --format if only the file gives them.'
                )
        scale = expected.abs().max().clamp_min(1)
        largest = max(largest, ((got - expected).abs().max() / scale).item())
        best = expected.topk(2, dim=1).values
        clear = best[:, 0] - best[:, 1] > 2 * tolerance * scale
        if not largest <= tolerance or not torch.equal(got_labels[clear], labels[clear]):
            raise ValueError(
                f'Expected the exported file to give the outputs of the model within {tolerance:g}, but they differ by '
                f'{largest:g}. Nothing was kept; try another --format or version of PyTorch.'
            )
    return largest

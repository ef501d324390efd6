"""Find and read images in class folders, and report problems with the data before training starts."""

from pathlib import Path
from typing import Sequence

import mmcv
import numpy as np
from PIL import Image

__all__ = ['class_folders', 'images_in', 'load_class_folders']

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm')


def class_folders(root: Path) -> list[str]:
    """Return the names of the folders in ``root``, sorted, without hidden ones (``.ipynb_checkpoints``)."""
    return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith('.'))


def images_in(folder: Path) -> list[Path]:
    """Return the images of a folder in the order of their names.

    Raises:
        FileNotFoundError: There is no image, or no such folder.
    """
    paths = sorted(path for path in folder.glob('*') if path.suffix.lower() in EXTENSIONS)
    if not paths:
        raise FileNotFoundError(
            f'Expected `{folder}` to hold images ({", ".join(EXTENSIONS)}), but got none. Unpack the archive again.'
        )
    return paths


def load_class_folders(root: Path, classes: Sequence[str], size: tuple[int, int]) -> list[dict]:
    """Decode all images of ``root/<class>/*``; labels follow the order of ``classes``.

    For small images (CIFAR) that are decoded once instead of in each epoch.

    Args:
        root: Folder with one folder per class.
        classes: The K expected folder names.
        size: Height and width in pixels that every image must have.

    Returns:
        list[dict]: ``img`` (H, W, 3), uint8, BGR, and ``gt_label``, ordered by class and file name.

    Raises:
        FileNotFoundError: A class folder is missing in ``root``, or empty.
        ValueError: There is an unexpected folder, or an image is corrupt or of another size.
    """
    found = set(class_folders(root))
    missing, unknown = sorted(set(classes) - found), sorted(found - set(classes))
    if missing:
        raise FileNotFoundError(
            f'Expected `{root}` to hold one folder for each of the {len(classes)} classes, but {missing} are missing.'
        )
    if unknown:
        raise ValueError(
            f'Expected `{root}` to hold the folders of the {len(classes)} classes only, '
            f'but also got {unknown}. Rename or remove them; classes: {list(classes)}.'
        )
    return [
        dict(img=_read(path, size), gt_label=label)
        for label, name in enumerate(classes)
        for path in images_in(root / name)
    ]


def _read(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Return an image of this size, shape (H, W, 3), uint8, BGR, as mmpretrain's ``LoadImageFromFile`` does."""
    try:
        with Image.open(path) as file:
            file.load()  # some versions of OpenCV fill the rest of a truncated file with gray
        image = mmcv.imread(path)
        if image is None:
            raise OSError('OpenCV cannot read it')
    except (OSError, SyntaxError) as error:  # what Pillow raises
        raise ValueError(f'Expected `{path}` to be an image, but {error}. Unpack the archive again.') from error
    if image.shape[:2] != size:
        raise ValueError(f'Expected `{path}` to be {size[0]} x {size[1]} pixels, but got {image.shape[:2]}.')
    return image

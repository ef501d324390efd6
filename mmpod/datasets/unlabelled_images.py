"""Images without labels, such as those of unknown classes."""

from pathlib import Path
from typing import Any

from mmpretrain.datasets import BaseDataset

from mmpod.registry import DATASETS

from .class_folders import EXTENSIONS

__all__ = ['UnlabelledImages']


@DATASETS.register_module()
class UnlabelledImages(BaseDataset):
    """All images below a folder, except in hidden folders, in the order of their paths and without labels.

    Args:
        data_root: The folder.
        pipeline: Reads and packs the images. :func:`~mmpod.datasets.file_pipeline` returns that of a test set.
        kwargs: Passed to mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: There is no image below the folder.
        ValueError: While reading: a file is not an image.
    """

    def __init__(self, data_root: str, **kwargs: Any):
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img_path``."""
        root = Path(self.data_root)
        paths = sorted(
            path
            for path in root.rglob('*')
            if path.suffix.lower() in EXTENSIONS
            and path.is_file()
            and not any(name.startswith('.') for name in path.relative_to(root).parent.parts)
        )
        if not paths:
            raise FileNotFoundError(
                f'Expected images ({", ".join(EXTENSIONS)}) below `{root.absolute()}`, but there are none.'
            )
        return [dict(img_path=str(path)) for path in paths]

    def prepare_data(self, idx: int) -> dict:
        """Return an image after the pipeline.

        Raises:
            ValueError: The pipeline cannot read it.
        """
        try:
            return super().prepare_data(idx)
        except Exception as error:  # from OpenCV, Pillow or any other reader
            path = self.get_data_info(idx)['img_path']
            raise ValueError(f'Expected `{path}` to be an image that the pipeline reads, but got: {error}') from error

"""Images of no known class, to see whether a classifier's scores tell them apart."""

from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from PIL import Image

from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice

from .image_folder import EXTENSIONS

__all__ = ['UnlabelledImages']


@DATASETS.register_module()
class UnlabelledImages(BaseDataset):
    """All images below a folder, at any depth but in no hidden folder, without labels, brought to one size (bilinear).

    Args:
        data_root: The folder.
        size: Height and width in pixels.
        channel_order: ``'rgb'`` or ``'bgr'``, whichever the model's ``data_preprocessor`` expects.
        kwargs: Passed on to :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: There is no image below the folder.
        ValueError: An image is corrupt, when it is read, or ``channel_order`` is neither.
    """

    def __init__(self, data_root: str, size: tuple[int, int], channel_order: str = 'rgb', **kwargs):
        check_choice('channel_order', channel_order, ['rgb', 'bgr'])
        self.size = tuple(size)
        self.channel_order = channel_order
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict a sample: ``img_path``, in the order of the paths."""
        root = Path(self.data_root)
        paths = sorted(
            path
            for path in root.rglob('*')
            if path.suffix.lower() in EXTENSIONS
            and not any(name.startswith('.') for name in path.relative_to(root).parent.parts)
        )
        if not paths:
            raise FileNotFoundError(
                f'Expected images ({", ".join(EXTENSIONS)}) below `{root.absolute()}`, but there are none.'
            )
        return [dict(img_path=str(path)) for path in paths]

    def get_data_info(self, idx: int) -> dict:
        """Return ``img`` (H, W, 3), uint8, besides the path."""
        info = super().get_data_info(idx)
        try:
            with Image.open(info['img_path']) as file:
                image = np.array(file.convert('RGB').resize((self.size[1], self.size[0]), Image.Resampling.BILINEAR))
        except (OSError, SyntaxError) as error:
            raise ValueError(f'Expected `{info["img_path"]}` to be an image, but {error}.') from error
        return dict(info, img=image if self.channel_order == 'rgb' else np.ascontiguousarray(image[..., ::-1]))

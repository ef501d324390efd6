"""The softmax-free classification head: projection, normalisation, frozen centroids (Fig. 1 of arXiv 2111.15449 v1)."""

from typing import Optional, Sequence, Union

from torch import Tensor, nn

from mmpod.models.centroid_sources import build_centroids
from mmpod.registry import MODELS

from .prototype_head import PrototypeHead

__all__ = ['PEDCCHead']


@MODELS.register_module()
class PEDCCHead(PrototypeHead):
    r"""Classify by the cosine to predefined evenly-distributed class centroids (PEDCC), which no training moves.

    pooled features (N, C) -> ``fc`` (N, D) -> unit length -> cosine with the K centroids (N, K) -> argmax (Eq. 17-19).

    The projection ``fc`` has a bias and neither norm nor activation. It cannot be left out: pooled ReLU features are
    never negative and could not reach centroids with negative entries. ``pred_score`` is (1 + cosine) / 2.

    Args:
        num_classes: K, at least 2.
        in_channels: C, channels of the pooled features.
        feat_dim: D, dimension of the features and centroids, at least K - 1 unless they are spread. It may exceed C.
        seed: Chooses the rotation of the centroids, see :func:`~mmpod.functional.pedcc`.
        loss: Config (or module) of a loss of features, labels and centroids.
        topk: The k of the training accuracies, each at most K.
        cal_acc: Log the accuracy of each training batch. Needs integer labels.
        init_cfg: Initialisation of ``fc``; by default PyTorch's own, as in the authors' code.
        centroids: ``'pedcc'``; ``'spread'`` for K > D + 1, see :func:`~mmpod.functional.spread_centroids`, computed
            once for each (K, D, seed) and kept in the folder ``MMPOD_CACHE`` (``~/.cache/mmpod``); or the path of a
            ``.pkl`` file as the authors released them, see :func:`~mmpod.models.centroid_file.read_centroids`.

    Attributes:
        fc: ``nn.Linear(in_channels, feat_dim)``.
        centroids: Buffer (K, D), float32: saved with the weights, moved with the module, in no optimizer.

    Raises:
        TypeError: An argument has a wrong type.
        ValueError: An argument is out of range, K > D + 1 without ``'spread'``, or the file holds other things.
        FileNotFoundError: There is no such file of centroids.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        feat_dim: int,
        seed: int = 0,
        loss: Union[dict, nn.Module] = dict(type='mmpod.PODLoss'),
        topk: Union[int, Sequence[int]] = (1,),
        cal_acc: bool = False,
        init_cfg: Optional[dict] = None,
        centroids: str = 'pedcc',
    ):
        super().__init__(num_classes, in_channels, loss, topk=topk, cal_acc=cal_acc, init_cfg=init_cfg)
        rows = build_centroids(centroids, num_classes, feat_dim, seed)
        self.feat_dim = feat_dim
        self.fc = nn.Linear(in_channels, feat_dim)
        self.register_buffer('centroids', rows.float())

    @property
    def prototypes(self) -> Tensor:
        """The frozen centroids, shape (K, D)."""
        return self.centroids

    def pre_logits(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Project the pooled features; the last stage counts where there are several.

        Args:
            feats: Shape (N, C), or a tuple whose last item has that shape.

        Returns:
            Tensor: z, shape (N, D), not normalised.

        Raises:
            ValueError: The features are not (N, in_channels).
        """
        return self.fc(self.pooled(feats))

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs):
        # MMEngine loads without `strict` and would only log a mismatch, then go on with unrelated centroids.
        loaded = state_dict.get(prefix + 'centroids')
        if loaded is not None and loaded.shape != self.centroids.shape:
            raise ValueError(
                f'Expected `{prefix}centroids` in the checkpoint to be of shape (num_classes, feat_dim) = '
                f'{tuple(self.centroids.shape)}, but got {tuple(loaded.shape)}. Set num_classes and feat_dim as in its '
                "training; to start another task from its backbone, use backbone=dict(init_cfg=dict(type='Pretrained', "
                "checkpoint=..., prefix='backbone')) instead of load_from."
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

"""The softmax-free classification head: projection, normalisation, frozen centroids (Fig. 1 of arXiv 2111.15449 v1)."""

from typing import Optional, Sequence, Union

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from mmpod.models.centroid_sources import build_centroids
from mmpod.registry import MODELS
from mmpod.utils.checks import check_choice

from .prototype_head import PrototypeHead

__all__ = ['PEDCCHead']


@MODELS.register_module()
class PEDCCHead(PrototypeHead):
    r"""Classify by the cosine to predefined evenly-distributed class centroids (PEDCC), which no training moves.

    pooled features (N, C) -> ``fc`` (N, D) -> unit length -> cosine with the K centroids (N, K) -> argmax (Eq. 17-19).

    The projection ``fc`` has a bias and no activation. It cannot be left out: pooled ReLU features are never negative
    and could not reach centroids with negative entries. ``pred_score`` is (1 + cosine) / 2.

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
        norm_cfg: A norm between ``fc`` and unit length, which the paper does not have: ``dict(type='BN1d')``,
            ``'SyncBN'`` or ``'LN'``, with the options of :func:`mmcv.cnn.build_norm_layer`. None: no norm.

    Attributes:
        fc: ``nn.Linear(in_channels, feat_dim)``.
        norm: The norm of ``norm_cfg``, or ``nn.Identity()``.
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
        norm_cfg: Optional[dict] = None,
    ):
        super().__init__(num_classes, in_channels, loss, topk=topk, cal_acc=cal_acc, init_cfg=init_cfg)
        rows = build_centroids(centroids, num_classes, feat_dim, seed)
        self.feat_dim = feat_dim
        self.fc = nn.Linear(in_channels, feat_dim)
        self.norm = nn.Identity() if norm_cfg is None else build_norm(norm_cfg, feat_dim)
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
            Tensor: z, shape (N, D), not of unit length.

        Raises:
            ValueError: The features are not (N, in_channels), or one image is trained with a batch norm.
        """
        z = self.fc(self.pooled(feats))
        if self.training and isinstance(self.norm, nn.BatchNorm1d) and len(z) == 1:
            raise ValueError(
                "Expected at least 2 images in a training batch for norm_cfg=dict(type='BN1d'), but got 1. Set "
                "train_dataloader=dict(drop_last=True) where only the last batch is so small, else take type='LN'."
            )
        return self.norm(z)

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


def build_norm(norm_cfg: dict, feat_dim: int) -> nn.Module:
    """Return the norm of features (N, feat_dim)."""
    if not isinstance(norm_cfg, dict):
        raise TypeError(f"Expected `norm_cfg` to be None or a dict such as dict(type='BN1d'), but got {norm_cfg!r}.")
    check_choice("norm_cfg['type']", norm_cfg.get('type'), ['BN1d', 'SyncBN', 'LN'])
    return build_norm_layer(norm_cfg, feat_dim)[1]

"""The softmax-free classification head: projection, normalisation, frozen centroids (Fig. 1 of arXiv 2111.15449 v1)."""

import json
import logging
from typing import Any, Optional, Sequence, Union

import torch
from mmcv.cnn import build_norm_layer
from mmengine.logging import print_log
from torch import Tensor, nn

from mmpod.functional.numerics import no_autocast
from mmpod.models.centroid_sources import build_centroids, centroid_recipe, digest
from mmpod.registry import MODELS
from mmpod.utils.checks import check_choice

from .prototype_head import PrototypeHead

__all__ = ['PEDCCHead']

LENGTH_TOLERANCE = 1e-2  # of centroids in a checkpoint, which may be published in half precision
LENGTH_ROUNDING = 1e-5  # of unit rows in float32
MAX_RECIPE = 1000  # bytes


@MODELS.register_module()
class PEDCCHead(PrototypeHead):
    r"""Classify by the cosine to predefined evenly-distributed class centroids (PEDCC), which are frozen.

    pooled features (N, C) -> ``fc`` (N, D) -> unit length -> cosine with the K centroids (N, K) -> argmax (Eq. 17-19).

    The projection ``fc`` has a bias and no activation, and is computed in its own precision even under autocast: in
    float16 it would overflow. It cannot be left out: pooled ReLU features are never negative and could not reach
    centroids with negative entries. ``pred_score`` is (1 + cosine) / 2.

    Args:
        num_classes, in_channels, loss, topk, cal_acc: As in :class:`PrototypeHead`.
        feat_dim: D, dimension of the features and centroids, at least K - 1 unless they are spread. It may exceed C.
        seed: Determines the rotation of the centroids, see :func:`~mmpod.functional.pedcc`.
        init_cfg: Initialisation of ``fc``; by default PyTorch's own, as in the authors' code.
        centroids: ``'pedcc'``; ``'spread'`` for K > D + 1, see :func:`~mmpod.functional.spread_centroids`; or the path
            of a ``.pkl`` file as the authors released them, see :func:`~mmpod.models.centroid_file.read_centroids`.
            Numerically optimised centroids can take minutes.
        norm_cfg: A norm between ``fc`` and the scaling to unit length, which the paper does not have:
            ``dict(type='BN1d')``, ``'SyncBN'`` or ``'LN'``, with the options of :func:`mmcv.cnn.build_norm_layer`. None
            for no norm.

    Attributes:
        fc: ``nn.Linear(in_channels, feat_dim)``.
        norm: The norm of ``norm_cfg``, or ``nn.Identity()``.
        centroids: Buffer (K, D), float32, unit rows: saved with the weights, moved with the module, in no optimizer.
            For a Kerdock table of more than 2**24 entries (64 MiB), which is the same on every machine, a checkpoint
            holds the arguments and a SHA-256 instead, as ``centroids_recipe``.

    Raises:
        FileNotFoundError: There is no such file of centroids.
        ValueError: K > D + 1 without ``'spread'``, the file has other content, or an argument is out of range.
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
        self.recipe = centroid_recipe(centroids, num_classes, feat_dim, seed)
        self.feat_dim = feat_dim
        self.fc = nn.Linear(in_channels, feat_dim)
        if norm_cfg is not None:
            if not isinstance(norm_cfg, dict):
                raise TypeError(f"Expected `norm_cfg` to be a dict such as dict(type='BN1d'), but got {norm_cfg!r}.")
            check_choice("norm_cfg['type']", norm_cfg.get('type'), ['BN1d', 'SyncBN', 'LN'])
        self.norm = nn.Identity() if norm_cfg is None else build_norm_layer(norm_cfg, feat_dim)[1]
        self.register_buffer('centroids', rows)

    @property
    def prototypes(self) -> Tensor:
        """The frozen centroids, shape (K, D)."""
        return self.centroids

    def pre_logits(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Return the projected features z of the last stage, shape (N, D), not of unit length."""
        pooled = self.pooled(feats)
        with no_autocast(pooled):
            z = self.fc(pooled.to(self.fc.weight.dtype))
        return self.norm(z)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self.recipe is not None:
            rows = destination.pop(prefix + 'centroids')
            if 'sha256' not in self.recipe:
                self.recipe = dict(self.recipe, sha256=digest(rows))
            text = json.dumps(self.recipe).encode()
            destination[prefix + 'centroids_recipe'] = torch.tensor(list(text), dtype=torch.uint8, device=rows.device)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        # MMEngine loads without `strict`: it would only log a mismatch and continue with unrelated centroids.
        state_dict, name = dict(state_dict), prefix + 'centroids'
        text, rows = state_dict.pop(name + '_recipe', None), state_dict.get(name)
        if rows is not None:
            state_dict[name] = self._unit_rows(rows, name)
            self.recipe = None  # these rows may differ from it
        elif text is not None:
            state_dict[name] = self._rebuild(text, name)
        loaded = state_dict.get(name, self.centroids)
        if loaded is not self.centroids and not torch.allclose(loaded.to(self.centroids), self.centroids, atol=0.01):
            print_log(
                f'The centroids of the checkpoint replace those of the config, which differ (`{name}`): it was saved '
                'with another seed or centroid file.',
                logger='current',
                level=logging.WARNING,
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _unit_rows(self, rows: Tensor, name: str) -> Tensor:
        """Return the centroids of a checkpoint, scaled to unit length unless they have it up to rounding."""
        self._check_shape(tuple(rows.shape), name)
        lengths = rows.float().norm(dim=1)
        error = (lengths - 1).abs()
        if not (error < LENGTH_TOLERANCE).all():  # also fails for NaN
            worst = int(error.nan_to_num(nan=torch.inf).argmax())
            raise ValueError(
                f'Expected `{name}` in the checkpoint to be unit vectors, but got length {lengths[worst]:g} for class '
                f'{worst}: the file is damaged, or was not made by mmpod.'
            )
        return rows if error.max() <= LENGTH_ROUNDING else rows.float() / lengths.unsqueeze(1)

    def _rebuild(self, text: Tensor, name: str) -> Tensor:
        """Rebuild the centroids from the recipe in a checkpoint."""
        try:
            recipe = json.loads(bytes(text[:MAX_RECIPE].tolist()))
            shape, seed, sha256 = (recipe['num_classes'], recipe['feat_dim']), recipe['seed'], recipe['sha256']
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f'Expected `{name}_recipe` in the checkpoint to be written by mmpod: {error}.') from error
        self._check_shape(shape, name)
        own = self.recipe is not None and self.recipe['seed'] == seed
        rows = self.centroids if own else build_centroids('spread', *shape, seed)
        if digest(rows) != sha256:
            raise ValueError(
                f'Expected `{name}` to be rebuilt as in the training of the checkpoint, but its SHA-256 differs: the '
                'checkpoint was made with other centroids or another version of mmpod. Use that version.'
            )
        self.recipe = recipe
        return rows

    def _check_shape(self, shape: tuple, name: str) -> None:
        if shape != tuple(self.centroids.shape):
            raise ValueError(
                f'Expected `{name}` in the checkpoint to be of shape (num_classes, feat_dim) = '
                f'{tuple(self.centroids.shape)}, but got {shape}. Set num_classes and feat_dim as in its training; to '
                "start another task from its backbone, use backbone=dict(init_cfg=dict(type='Pretrained', "
                "checkpoint=..., prefix='backbone')) instead of load_from."
            )

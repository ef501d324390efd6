"""The softmax-free classification head: projection, normalisation, frozen centroids (Fig. 1 of arXiv 2111.15449 v1)."""

from typing import Optional, Sequence, Union

import torch
from mmpretrain.evaluation.metrics import Accuracy
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpod.functional import at_least_float32, cosine_scores, no_autocast, normalize_rows, pedcc
from mmpod.functional.checks import check_integer
from mmpod.registry import MODELS

__all__ = ['PEDCCHead']


@MODELS.register_module()
class PEDCCHead(ClsHead):
    r"""Classify by the cosine to predefined evenly-distributed class centroids (PEDCC), which no training moves.

    pooled features (N, C) -> ``fc`` (N, D) -> unit length -> cosine with the K centroids (N, K) -> argmax (Eq. 17-19).

    The projection ``fc`` has a bias and neither norm nor activation. It cannot be left out: pooled ReLU features are
    never negative and could not reach centroids with negative entries.

    Args:
        num_classes: K, at least 2.
        in_channels: C, channels of the pooled features.
        feat_dim: D, dimension of the features and centroids, at least K - 1. It may exceed C.
        seed: Chooses the rotation of the centroids, see :func:`~mmpod.functional.pedcc`.
        loss: Config (or module) of a loss of features, labels and centroids.
        topk: The k of the training accuracies, each at most K.
        cal_acc: Log the accuracy of each training batch. Needs integer labels.
        init_cfg: Initialisation of ``fc``; by default PyTorch's own, as in the authors' code.

    Attributes:
        fc: ``nn.Linear(in_channels, feat_dim)``.
        centroids: Buffer (K, D), float32: saved with the weights, moved with the module, in no optimizer.

    Raises:
        TypeError: An argument has a wrong type.
        ValueError: An argument is out of range, or K > D + 1.
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
    ):
        topk = (topk,) if isinstance(topk, int) else tuple(topk)
        super().__init__(loss=loss, topk=topk, cal_acc=cal_acc, init_cfg=init_cfg)
        centroids = pedcc(num_classes, feat_dim, seed)
        check_integer('in_channels', in_channels, 1)
        for k in topk:
            check_integer('topk', k, 1, num_classes)
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.feat_dim = feat_dim
        self.fc = nn.Linear(in_channels, feat_dim)
        self.register_buffer('centroids', centroids.float())

    def pre_logits(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Project the pooled features; the last stage counts where there are several.

        Args:
            feats: Shape (N, C), or a tuple whose last item has that shape.

        Returns:
            Tensor: z, shape (N, D), not normalised.

        Raises:
            ValueError: The features are not (N, in_channels).
        """
        pooled = feats[-1] if isinstance(feats, (tuple, list)) else feats
        if pooled.ndim != 2 or pooled.shape[1] != self.in_channels:
            raise ValueError(
                f'Expected pooled features of shape (N, in_channels) = (N, {self.in_channels}), but got '
                f'{tuple(pooled.shape)}. Set `in_channels` of PEDCCHead to what the backbone gives; '
                "feature maps (N, C, H, W) need neck=dict(type='GlobalAveragePooling')."
            )
        return self.fc(pooled)

    def forward(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Return the cosines to the centroids, shape (N, K), in float32 also under autocast."""
        return self._cosines(self.pre_logits(feats))

    def _cosines(self, features: Tensor) -> Tensor:
        with no_autocast(features):
            return cosine_scores(normalize_rows(at_least_float32(features)), self.centroids)

    def loss(
        self, feats: Union[Tensor, tuple[Tensor, ...]], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Return the loss terms, whose sum is the objective, and the accuracies if ``cal_acc``.

        Args:
            feats: Shape (N, C), or a tuple whose last item has that shape.
            data_samples: N samples with ``gt_label`` or, from batch augmentations, ``gt_score``.
            kwargs: Passed on to the loss.

        Raises:
            ValueError: Shapes that do not fit, labels out of range, or ``cal_acc`` with mixed labels.
        """
        features = self.pre_logits(feats)
        labels = self._labels(data_samples)
        losses = self.loss_module(features, labels, self.centroids, **kwargs)
        if self.cal_acc:
            if labels.is_floating_point():
                raise ValueError(
                    'Expected integer labels for `cal_acc=True`, but batch augmentations (Mixup, CutMix) '
                    'made class weights of them, which have no accuracy. Set cal_acc=False.'
                )
            scores = self._scores(self._cosines(features.detach()))
            accuracies = Accuracy.calculate(scores, labels, topk=self.topk)
            losses.update({f'accuracy_top-{k}': accuracy[0] for k, accuracy in zip(self.topk, accuracies)})
        return losses

    @staticmethod
    def _labels(data_samples: list[DataSample]) -> Tensor:
        if 'gt_score' in data_samples[0]:
            return torch.stack([sample.gt_score for sample in data_samples])
        return torch.cat([sample.gt_label for sample in data_samples])

    @staticmethod
    def _scores(cosines: Tensor) -> Tensor:
        """Map cosines to (0, 1), keeping their order: mmpretrain's Accuracy drops hits whose score is not positive."""
        eps = torch.finfo(cosines.dtype).eps
        return ((1 + cosines) / 2).clamp(eps, 1 - eps)

    def _get_predictions(
        self, cls_score: Tensor, data_samples: Optional[list[Optional[DataSample]]]
    ) -> list[DataSample]:
        """Fill ``pred_score`` with (1 + cosine) / 2 and ``pred_label`` with the argmax; called by ``predict``."""
        scores, labels = self._scores(cls_score), cls_score.argmax(dim=1, keepdim=True)
        samples = [None] * len(scores) if data_samples is None else data_samples
        return [
            (sample if sample is not None else DataSample()).set_pred_score(score).set_pred_label(label)
            for sample, score, label in zip(samples, scores, labels)
        ]

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

"""Base of all heads with one prototype per class: labels, loss, scores and predictions."""

from typing import Any, Optional, Sequence, Union

import torch
from mmpretrain.evaluation.metrics import Accuracy
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpod.functional import normalize_rows
from mmpod.functional.numerics import at_least_float32, no_autocast
from mmpod.models.losses.prototype_loss import PrototypeLoss
from mmpod.utils.checks import check_flag, check_integer

__all__ = ['PrototypeHead']


class PrototypeHead(ClsHead):
    """Base of the heads that compare features with one prototype per class, fixed or learned.

    pooled features (N, C) -> :meth:`pre_logits` (N, D) -> similarity to the prototypes (N, K) -> argmax; in training
    the loss gets features, labels and prototypes. The similarity, cosine or inner product, is that of the loss. A
    subclass provides :attr:`prototypes`.

    Args:
        num_classes: K, at least 2.
        in_channels: C, channels of the pooled features.
        loss: Config (or module) of a loss of features, labels and prototypes.
        topk: The k of the training accuracies, each at most K.
        cal_acc: Log the accuracy of each training batch. Needs integer labels.
        init_cfg: Initialisation.

    Attributes:
        MAX_SCORES: Up to this many classes, predictions hold the scores of all classes, see :meth:`predict`.
        CHUNK: Beyond that, the number of classes processed at a time.
    """

    MAX_SCORES = 32768
    CHUNK = 16384

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        loss: Union[dict, nn.Module],
        topk: Union[int, Sequence[int]] = (1,),
        cal_acc: bool = False,
        init_cfg: Optional[dict] = None,
    ):
        check_integer('num_classes', num_classes, 2)
        check_integer('in_channels', in_channels, 1)
        ks: tuple[Any, ...] = tuple(topk) if isinstance(topk, (list, tuple)) else (topk,)
        for k in ks:
            check_integer('topk', k, 1, num_classes)
        check_flag('cal_acc', cal_acc)
        super().__init__(loss=loss, topk=ks, cal_acc=cal_acc, init_cfg=init_cfg)
        if not isinstance(self.loss_module, PrototypeLoss):
            raise TypeError(
                f'Expected `loss` of {type(self).__name__} to be a PrototypeLoss, which compares features with '
                f"prototypes, but got {type(self.loss_module).__name__}. Use one, loss=dict(type='mmpod.PODLoss'); a "
                'config that inherits another head needs `_delete_=True` in `head` or in `loss`.'
            )
        self.similarity = self.loss_module.similarity  # 'cosine' or 'dot'
        self.num_classes = num_classes
        self.in_channels = in_channels

    @property
    def prototypes(self) -> Tensor:
        """One row per class, shape (K, D)."""
        raise NotImplementedError

    def pooled(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Return the pooled features of the last stage, shape (N, C).

        Raises:
            ValueError: They are not (N, in_channels).
        """
        pooled = feats[-1] if isinstance(feats, (tuple, list)) else feats
        if pooled.ndim != 2 or pooled.shape[1] != self.in_channels:
            way_out = (
                f'Set `in_channels` of {type(self).__name__} to what the backbone gives; '
                "feature maps (N, C, H, W) need neck=dict(type='GlobalAveragePooling')."
            )
            if pooled.ndim == 3 or pooled.shape[1:] == (1,):  # of which that neck makes one number per image
                way_out = "Tokens of a transformer need backbone.out_type='cls_token' or 'avg_featmap', and neck=None."
            raise ValueError(
                f'Expected pooled features of shape (N, in_channels) = (N, {self.in_channels}), but got '
                f'{tuple(pooled.shape)}. {way_out}'
            )
        return pooled

    def pre_logits(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Return what is compared with the prototypes, shape (N, D): here the pooled features."""
        return self.pooled(feats)

    def forward(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Return the similarities to the prototypes, shape (N, K), in float32 even under autocast."""
        return self.similarities(self.pre_logits(feats))

    def similarities(self, features: Tensor, classes: slice = slice(None)) -> Tensor:
        """Return the similarities of features (N, D) to the prototypes of some classes, by default all, in float32."""
        with no_autocast(features):
            features, prototypes = at_least_float32(features), at_least_float32(self.prototypes[classes])
            if self.similarity == 'cosine':
                return normalize_rows(features) @ normalize_rows(prototypes).T
            return features @ prototypes.T

    def loss(
        self, feats: Union[Tensor, tuple[Tensor, ...]], data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        """Return the loss terms, whose sum is the objective, and the accuracies if ``cal_acc``.

        Args:
            feats: Shape (N, C), or a tuple whose last item has that shape.
            data_samples: N samples with ``gt_label`` or, from batch augmentations, ``gt_score``.
            kwargs: Passed to the loss.

        Raises:
            ValueError: Shapes that do not fit, labels out of range, or ``cal_acc`` with soft labels.
        """
        features = self.pre_logits(feats)
        labels = self.labels(data_samples)
        if labels.ndim == 2 and not labels.is_floating_point():  # `to_onehot=True` of mmpretrain's preprocessor
            self.loss_module.check_soft_labels(labels)
            labels = labels.argmax(dim=1)
        losses = self.loss_module(features, labels, self.prototypes, **kwargs)
        if self.cal_acc:
            if labels.is_floating_point():
                raise ValueError(
                    'Expected integer labels for `cal_acc=True`, but batch augmentations (Mixup, CutMix) '
                    'made soft labels, which have no accuracy. Set cal_acc=False.'
                )
            scores = self.scores(self.similarities(features.detach()))
            accuracies = Accuracy.calculate(scores, labels, topk=self.topk)
            losses.update({f'accuracy_top-{k}': accuracy[0] for k, accuracy in zip(self.topk, accuracies)})
        return losses

    @staticmethod
    def labels(data_samples: list[DataSample]) -> Tensor:
        """Return the labels of the samples: (N,) integers, or (N, K) soft labels if augmentations produced them."""
        if 'gt_score' in data_samples[0]:
            return torch.stack([sample.gt_score for sample in data_samples])
        return torch.cat([sample.gt_label for sample in data_samples])

    def scores(self, similarities: Tensor) -> Tensor:
        """Map similarities (N, K) to (0, 1), keeping their order.

        Cosines become (1 + cosine) / 2. Inner products become softmax probabilities; those that round to 0 in float32
        are equal. Scores are above 0 because mmpretrain's Accuracy drops hits with a score of 0.
        """
        total = similarities.logsumexp(dim=1, keepdim=True) if self.similarity == 'dot' else None
        return self.squashed(similarities, total)

    def squashed(self, similarities: Tensor, total: Optional[Tensor]) -> Tensor:
        """Return the scores of some similarities (N, k), given the ``logsumexp`` (N, 1) of all inner products."""
        eps = torch.finfo(similarities.dtype).eps
        if total is not None and self.similarity == 'dot':
            return (similarities - total).exp().clamp(torch.finfo(similarities.dtype).tiny, 1 - eps)
        return ((1 + similarities) / 2).clamp(eps, 1 - eps)

    def predict(
        self, feats: Union[Tensor, tuple[Tensor, ...]], data_samples: Optional[list[Optional[DataSample]]] = None
    ) -> list[DataSample]:
        """Return the samples with ``pred_label``, the argmax, and their scores.

        Up to ``MAX_SCORES`` classes, a sample gets ``pred_score``, (K,). With more, that would be too large to keep for
        a whole dataset: a sample gets ``topk_label`` and ``topk_score``, (k,), of the k largest scores, where k is the
        largest of ``topk`` and at least 5. ``mmpod.TopKAccuracy`` evaluates them. mmpretrain's ``Accuracy`` then
        reports only the top-1, from ``pred_label``; its inferencer and test-time augmentation need ``pred_score``.
        """
        features = self.pre_logits(feats)
        samples = [None] * len(features) if data_samples is None else data_samples
        predictions = [sample if sample is not None else DataSample() for sample in samples]
        if self.num_classes <= self.MAX_SCORES:
            similarities = self.similarities(features)
            scores, labels = self.scores(similarities), similarities.argmax(dim=1, keepdim=True)
            for sample, score, label in zip(predictions, scores, labels):
                sample.set_pred_score(score).set_pred_label(label)
            return predictions
        for sample, score, label in zip(predictions, *self.top_scores(features, max(5, *self.topk))):
            sample.set_pred_label(label[:1])
            sample.set_field(score, 'topk_score', dtype=Tensor)
            sample.set_field(label, 'topk_label', dtype=Tensor)
        return predictions

    @torch.no_grad()
    def top_scores(self, features: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Return the k largest of :meth:`scores` of features (N, D) and their classes, a part of the classes at a time.

        Returns:
            tuple[Tensor, Tensor]: Scores and labels, each of shape (N, k), the largest first.
        """
        best = at_least_float32(features[:, :0])
        labels = torch.zeros_like(best, dtype=torch.long)
        total = best.logsumexp(dim=1, keepdim=True)  # of nothing: -inf
        for start in range(0, self.num_classes, self.CHUNK):
            part = self.similarities(features, slice(start, start + self.CHUNK))
            values, indices = part.topk(min(k, part.shape[1]), dim=1)
            values, indices = torch.cat([best, values], dim=1), torch.cat([labels, indices + start], dim=1)
            best, order = values.topk(min(k, values.shape[1]), dim=1)
            labels, total = indices.gather(1, order), torch.logaddexp(total, part.logsumexp(dim=1, keepdim=True))
        return self.squashed(best, total), labels

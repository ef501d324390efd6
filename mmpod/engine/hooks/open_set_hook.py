"""Telling images of unknown classes by the scores of Gaussian discriminant analysis and by the cosine."""

from typing import Optional, Sequence

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner, autocast
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpod.functional import auroc, false_positive_rate
from mmpod.registry import HOOKS
from mmpod.utils.distributed import check_each_sample_once, gather_rows, owned_by_rank

from ..extraction import ordered_loader, plain_model, sample_indices, with_progress

__all__ = ['OpenSetHook']

SCORES = ('log_density', 'mahalanobis', 'max_cosine')


@HOOKS.register_module()
class OpenSetHook(Hook):
    """After a test, run a second folder of images and say how well three scores of ``GDAClassifier`` tell it apart.

    Images of the test set count as known, those of the folder as unknown. The scores are the log-density under the
    mixture of all classes, minus the least squared Mahalanobis distance, and the head's largest score (for a
    ``PEDCCHead`` a monotone map of the largest cosine). For each, ``open_set/<score>_auroc`` and
    ``open_set/<score>_fpr95``, the share of unknown images that pass where 95 % of the known ones do, in %.

    Args:
        unknown: A folder of images, at any depth, which are brought to the size of the test images; or the config of a
            dataset. None leaves the evaluation out.

    Raises:
        FileNotFoundError: After the test, if there are no images in the folder.
        ValueError: The predictions hold no such scores.
    """

    # Before MMEngine's RuntimeInfoHook, which takes the metrics for the log.
    priority = 'HIGHEST'

    def __init__(self, unknown: Optional[object] = None):
        self.unknown = unknown
        self.known: list[Tensor] = []

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[Sequence[DataSample]] = None,
    ) -> None:
        """Keep the scores of the known images that this process counts."""
        if self.unknown is not None:
            self.known.append(_scores(outputs))

    def after_test_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Score the unknown images and add to the metrics."""
        if self.unknown is None:
            return
        loader = ordered_loader(runner, self._dataset(runner))
        unknown = []
        with torch.no_grad():
            for batch in with_progress(loader, 'Scores of the unknown images'):
                with autocast(enabled=runner.test_loop.fp16):
                    unknown.append(_scores(runner.model.test_step(batch)))
        known, unknown = (torch.cat(parts) for parts in (self.known, unknown))
        self.known = []
        check_each_sample_once(len(known), len(runner.test_dataloader.dataset), known.device)
        check_each_sample_once(len(unknown), len(loader.dataset), unknown.device)
        known, unknown = gather_rows(known), gather_rows(unknown)
        for name, good, bad in zip(SCORES, known.T, unknown.T):
            metrics[f'open_set/{name}_auroc'] = 100 * auroc(good, bad).item()
            metrics[f'open_set/{name}_fpr95'] = 100 * false_positive_rate(good, bad).item()

    def _dataset(self, runner: Runner) -> dict:
        if isinstance(self.unknown, dict):
            return self.unknown
        model, _ = plain_model(runner.model)
        return dict(
            type='mmpod.UnlabelledImages',
            data_root=self.unknown,
            size=tuple(runner.test_dataloader.dataset[0]['inputs'].shape[-2:]),
            channel_order='bgr' if model.data_preprocessor.to_rgb else 'rgb',
            pipeline=[dict(type='PackInputs')],
        )


def _scores(samples: Sequence[DataSample]) -> Tensor:
    """Return the three scores of the samples that this process counts, shape (n, 3), float64."""
    if 'log_density' not in samples[0]:
        raise ValueError(
            f'Expected predictions of GDAClassifier for OpenSetHook, but got {sorted(samples[0].keys())}. Set '
            "model.type='mmpod.GDAClassifier' and leave --tta out."
        )
    rows = [[sample.log_density, sample.mahalanobis, sample.cosine_score.max().double()] for sample in samples]
    scores = torch.stack([torch.stack(row) for row in rows])
    return scores[owned_by_rank(sample_indices(samples)).to(scores.device)]

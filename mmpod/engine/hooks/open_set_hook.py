"""A hook that measures how well a classifier's scores separate unknown classes from those of its test set."""

from functools import partial
from typing import Any, Optional, Sequence, Sized, Union, cast

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner, autocast
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpod.datasets.file_pipeline import file_pipeline, output_shapes, resize_to
from mmpod.functional import auroc, false_positive_rate, max_probability_score, normalize_rows
from mmpod.models.features import head_prototypes, stage_features
from mmpod.registry import HOOKS
from mmpod.utils.distributed import check_each_sample_once, gather_rows, owned_by_rank

from ..extraction import hook_feats, one_view_model, ordered_loader, plain_model, with_progress

__all__ = ['OpenSetHook']


@HOOKS.register_module()
class OpenSetHook(Hook):
    r"""After a test, score a second folder of images and report how well each score separates it from the test set.

    Images of the test set count as known, and those of the folder as unknown. A larger score means more likely known.
    With the logits z that the head gives for all classes (for cosine heads, the cosines), the scores are:

    - ``max_probability``: the largest softmax probability of z;
    - ``energy``: :math:`\log \sum_k e^{z_k}`;
    - ``max_cosine``: the largest cosine of the head's features to a prototype, for heads with prototypes: the centroids
      of ``mmpod.PEDCCHead``, the class weights of other linear heads;
    - ``log_density`` and ``mahalanobis``, for ``mmpod.GDAClassifier``: the log-density under the mixture of all
      classes, and minus the least squared Mahalanobis distance.

    Reports two numbers per score: ``open_set/<score>_auroc``, the area under the ROC curve in %, which is 50 for an
    uninformative score; and ``open_set/<score>_fpr95``, the percentage of unknown images above the threshold that 95 %
    of the known ones reach.

    Args:
        unknown: A folder of images, at any depth, or the config of a dataset; None skips the evaluation. The images of
            a folder are read through the pipeline of the test set and, if all test images have one size that the
            pipeline leaves open, resized to it.

    Raises:
        FileNotFoundError: Before the test: there are no images in the folder.
        ValueError: With test-time augmentation, or a head without logits (N, K); a score is NaN; or the pipeline of the
            test set cannot read files.
    """

    # Before MMEngine's RuntimeInfoHook, which passes the metrics to the log.
    priority = 'HIGHEST'

    def __init__(self, unknown: Optional[Union[str, dict]] = None):
        self.unknown = unknown

    def before_test(self, runner: Runner) -> None:
        """Refuse test-time augmentation, and unknown images that cannot be read, before the test takes its time."""
        if self.unknown is None:
            return
        one_view_model(runner, self)
        self.known: list[Tensor] = []
        self.sizes: set[tuple[int, int]] = set()
        ordered_loader(runner, self._dataset(runner))  # built again after the test, which shows the images' sizes

    def before_test_epoch(self, runner: Runner) -> None:
        """Register a forward hook, now that other hooks have run the model on other images."""
        if self.unknown is None:
            return
        model = plain_model(runner.model)
        self.handle = hook_feats(model, partial(self._keep, model.head))

    def _keep(self, head: nn.Module, feats: Any) -> None:
        logits = head(feats)
        if not isinstance(logits, Tensor) or logits.ndim != 2:
            raise ValueError(
                f'Expected the head to give one tensor of logits (N, K) for OpenSetHook, but {type(head).__name__} '
                f'gives {type(logits).__name__}. Give the model a head with one output, such as mmpod.PEDCCHead.'
            )
        logits = logits.double()
        # The energy is Eq. 4 of Liu et al. (arXiv 2010.03759), negated, at temperature 1.
        self.scores = dict(max_probability=max_probability_score(logits), energy=logits.logsumexp(dim=1))
        prototypes = head_prototypes(head)
        if prototypes is not None:
            features = normalize_rows(stage_features(head, feats, 'pre_logits').double())
            self.scores['max_cosine'] = (features @ normalize_rows(prototypes.double()).T).amax(dim=1)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[Sequence[DataSample]] = None,
    ) -> None:
        """Collect the scores of the known images that this process counts."""
        if self.unknown is not None:
            self.known.append(self._owned_scores(outputs))
            self.sizes.update(tuple(image.shape[-2:]) for image in data_batch['inputs'])

    def after_test_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Score the unknown images and add the results to the metrics."""
        if self.unknown is None:
            return
        loader = ordered_loader(runner, self._dataset(runner))
        parts = []
        with torch.no_grad():
            for batch in with_progress(loader, 'Scores of the unknown images'):
                with autocast(enabled=runner.test_loop.fp16):
                    parts.append(self._owned_scores(runner.model.test_step(batch)))
        self.handle.remove()
        known, unknown = torch.cat(self.known), torch.cat(parts)
        check_each_sample_once(len(known), len(runner.test_dataloader.dataset), known.device)
        check_each_sample_once(len(unknown), len(cast(Sized, loader.dataset)), unknown.device)
        for name, high, low in zip(self.scores, gather_rows(known).T, gather_rows(unknown).T):
            metrics[f'open_set/{name}_auroc'] = 100 * auroc(high, low).item()
            metrics[f'open_set/{name}_fpr95'] = 100 * false_positive_rate(high, low).item()

    def _owned_scores(self, samples: Sequence[DataSample]) -> Tensor:
        """Return the scores of the samples that this process counts, shape (n, number of scores), float64."""
        for name in ('log_density', 'mahalanobis'):
            if name in samples[0]:
                self.scores[name] = torch.stack([sample.get(name) for sample in samples]).double()
        for name, values in self.scores.items():
            if values.isnan().any():
                raise ValueError(
                    f'Expected `{name}` of every image to be a number for OpenSetHook, but got NaN. The model has '
                    'diverged, or half precision has overflowed: test another checkpoint, or without --amp.'
                )
        scores = torch.stack(list(self.scores.values()), dim=1)
        return scores[owned_by_rank(samples).to(scores.device)]

    def _dataset(self, runner: Runner) -> dict:
        if isinstance(self.unknown, dict):
            return self.unknown
        try:
            pipeline = file_pipeline(runner.cfg.test_dataloader.dataset, resize=True)
        except ValueError as error:
            raise ValueError(f'{error} Give OpenSetHook the config of a dataset as `unknown`.') from error
        sizes = set().union(*all_gather_object(self.sizes))
        if len(sizes) == 1 and len(output_shapes(pipeline)) > 1:
            pipeline = [*pipeline[:-1], resize_to(*sizes.pop()), pipeline[-1]]
        return dict(type='mmpod.UnlabelledImages', data_root=self.unknown, pipeline=pipeline)

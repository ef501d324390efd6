"""A hook that measures how well a classifier's scores separate unknown classes from those of its test set."""

from functools import partial
from typing import Any, Optional, Union

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmpod.datasets.file_pipeline import file_pipeline
from mmpod.functional import auroc, false_positive_rate, max_probability_score, normalize_rows
from mmpod.models import GDAClassifier
from mmpod.models.head_features import head_prototypes, stage_features
from mmpod.registry import HOOKS

from ..extraction import all_features, one_view_model, ordered_loader, plain_model

__all__ = ['OpenSetHook']


@HOOKS.register_module()
class OpenSetHook(Hook):
    r"""After a test, score a second folder of images and report how well each score separates it from the test set.

    Images of the test set count as known, and those of the folder as unknown. Both are read in order, in a separate
    pass. A larger score means more likely known.

    With the logits z that the head gives for all classes (for cosine heads, the cosines), the scores are:

    - ``max_probability``: the largest softmax probability of z;
    - ``energy``: :math:`\log \sum_k e^{z_k}`;
    - ``max_cosine``: the largest cosine of the head's features to a prototype, for heads with prototypes: the centroids
      of ``mmpod.PEDCCHead``, the class weights of other linear heads;
    - ``log_density`` and ``mahalanobis``, for ``mmpod.GDAClassifier``: the log-density under the mixture of all
      classes, and minus the smallest squared Mahalanobis distance.

    Reports two numbers per score: ``open_set/<score>_auroc``, the area under the ROC curve in %, which is 50 for an
    uninformative score; and ``open_set/<score>_fpr95``, the percentage of unknown images above the threshold that 95 %
    of the known ones reach.

    Args:
        unknown: A folder of images, at any depth, or the config of a dataset; None skips the evaluation. The images of
            a folder are read through the pipeline of the test set and, if that is one of mmpod's with images of one
            size (digits, CIFAR, Tiny ImageNet), resized to it.

    Raises:
        FileNotFoundError: Before the test: there are no images in the folder.
        ValueError: Before the test: with test-time augmentation, or the pipeline of the test set cannot read files.
            After it: the head gives no logits (N, K), or a score is NaN.
    """

    # Before MMEngine's RuntimeInfoHook, which passes the metrics to the log, and before EMAHook removes the averages.
    priority = 'HIGHEST'

    def __init__(self, unknown: Optional[Union[str, dict]] = None):
        self.unknown = unknown

    def before_test(self, runner: Runner) -> None:
        """Refuse test-time augmentation, and unknown images that cannot be read, before the test starts."""
        if self.unknown is not None:
            one_view_model(runner, self)
            datasets = (runner.cfg.test_dataloader.dataset, self._dataset(runner))
            self.loaders = [ordered_loader(runner, dataset) for dataset in datasets]

    def after_test_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Score the known and the unknown images, and add the results to the metrics."""
        if self.unknown is None:
            return
        scores_of = partial(open_set_scores, plain_model(runner.model))
        known, unknown = (
            all_features(runner, loader, scores_of, f'Scores of {title}', labelled=False)[0]
            for loader, title in zip(self.loaders, ('the test set', 'the unknown images'))
        )
        for name in known:
            scores = known[name][:, 0], unknown[name][:, 0]
            metrics[f'open_set/{name}_auroc'] = 100 * auroc(*scores).item()
            metrics[f'open_set/{name}_fpr95'] = 100 * false_positive_rate(*scores).item()

    def _dataset(self, runner: Runner) -> dict:
        if isinstance(self.unknown, dict):
            return self.unknown
        try:
            pipeline = file_pipeline(runner.cfg.test_dataloader.dataset, resize=True)
        except ValueError as error:
            raise ValueError(f'{error} Give OpenSetHook the config of a dataset as `unknown`.') from error
        return dict(type='mmpod.UnlabelledImages', data_root=self.unknown, pipeline=pipeline)


def open_set_scores(model: Any, inputs: Any) -> dict[str, Tensor]:
    """Return the scores of :class:`OpenSetHook` for a batch of preprocessed images, shape (n, 1) each, float64."""
    feats = model.extract_feat(inputs)
    logits = model.head(feats)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise ValueError(
            f'Expected the head to give one tensor of logits (N, K) for OpenSetHook, but {type(model.head).__name__} '
            f'gives {type(logits).__name__}. Give the model a head with one output, such as mmpod.PEDCCHead.'
        )
    logits = logits.double()
    # The energy is Eq. 4 of Liu et al. (arXiv 2010.03759), negated, at temperature 1.
    scores = dict(max_probability=max_probability_score(logits), energy=logits.logsumexp(dim=1))
    prototypes = head_prototypes(model.head)
    if prototypes is not None:
        features = normalize_rows(stage_features(model.head, feats, 'pre_logits').double())
        scores['max_cosine'] = (features @ normalize_rows(prototypes.double()).T).amax(dim=1)
    if isinstance(model, GDAClassifier):
        joint, distances = model.gda.predict_joint(model.gaussian_features(feats))
        scores.update(log_density=joint.logsumexp(dim=1), mahalanobis=-distances.amin(dim=1))
    return {name: score[:, None] for name, score in scores.items()}

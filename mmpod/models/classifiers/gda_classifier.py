"""A classifier that decides by Gaussian discriminant analysis of its features, Table VII of arXiv 2111.15449 v1."""

import hashlib
from typing import Any, Optional, Sequence, Union

import torch
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpod.functional import normalize_rows
from mmpod.functional.numerics import at_least_float32, no_autocast
from mmpod.posthoc import GaussianDiscriminantAnalysis
from mmpod.registry import MODELS
from mmpod.utils.checks import check_choice
from mmpod.utils.image_normalisation import normalisation

from ..head_features import STAGES, stage_features

__all__ = ['GDAClassifier']


@MODELS.register_module()
class GDAClassifier(ImageClassifier):
    r"""mmpretrain's ``ImageClassifier`` whose predictions come from Gaussians fitted on the features of a training set.

    The network and its checkpoints are those of an ``ImageClassifier``. ``mmpod.FitGDAHook`` fits the Gaussians before
    a test. To serve the model without the training set, load fitted Gaussians from the file ``fitted``, for example::

        mmpod.Inferencer('configs/gda_resnet50_cifar10.py', 'epoch_100.pth', fitted='gda.npz')

    A prediction contains

    - ``pred_label``: the most probable class, and ``pred_score`` (K,):
      :math:`s_k \propto 1 / (1 + (\max_j l_j - l_k)/D)` with the joint log-densities l; the posterior itself is 0 or 1
      in float32 for nearly every image, which would lose the ranking;
    - ``cosine_score``, ``cosine_label``: the prediction of the head alone;
    - ``log_density``, ``mahalanobis``: :math:`\log p(x)` under the mixture, and minus the smallest squared Mahalanobis
      distance, both small for images of unknown classes.

    Args:
        args, kwargs: Passed to ``ImageClassifier``.
        covariance, shrinkage, priors: Passed to :class:`~mmpod.posthoc.GaussianDiscriminantAnalysis`. None takes its
            default, or the setting of ``fitted``.
        stage: Features of the Gaussians: ``'pre_logits'``, the head's D dimensions, or ``'pooled'``, the input of the
            head (2048 dimensions for ResNet-50).
        normalize: Scale the features to unit length.
        fitted: File written by ``FitGDAHook(save_to=...)`` or ``GaussianDiscriminantAnalysis.save``.

    Attributes:
        gda: The fitted estimator, or None.

    Raises:
        FileNotFoundError: The file ``fitted`` does not exist.
        ValueError: The head has more than 32,768 classes, or the file is damaged, or has another number of classes or
            other settings; while predicting: nothing is fitted, or the file was fitted on other features.
    """

    def __init__(
        self,
        *args: Any,
        covariance: Optional[str] = None,
        shrinkage: Union[str, float, None] = None,
        priors: Optional[Sequence[float]] = None,
        stage: str = 'pre_logits',
        normalize: bool = True,
        fitted: Optional[str] = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        check_choice('stage', stage, STAGES)
        if getattr(self.head, 'num_classes', 0) > getattr(self.head, 'MAX_SCORES', torch.inf):
            raise ValueError(
                f'Expected at most {self.head.MAX_SCORES} classes for GDAClassifier, whose predictions hold the scores '
                f"of all classes, but got {self.head.num_classes}. Test with model.type='ImageClassifier'."
            )
        settings = dict(covariance=covariance, shrinkage=shrinkage, priors=priors)
        self.settings: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        self.stage = stage
        self.normalize = normalize
        unfitted = self.unfitted_gda()  # raises an error now if the settings are invalid
        self.gda: Optional[GaussianDiscriminantAnalysis] = None
        self.fitted = fitted
        self._checked = fitted is None
        if fitted is not None:
            self.gda = GaussianDiscriminantAnalysis.load(fitted)
            if len(self.gda.counts_) != self.head.num_classes:
                raise ValueError(
                    f"Expected `fitted` to hold a Gaussian for each of the head's {self.head.num_classes} classes, but "
                    f'got {len(self.gda.counts_)} in `{fitted}`. Name the file that was fitted for this config, or fit '
                    'again with mmpod.FitGDAHook.'
                )
            for name in self.settings:
                given, in_file = getattr(unfitted, name), getattr(self.gda, name)
                if given != in_file:
                    raise ValueError(
                        f'Expected `{name}` of GDAClassifier to be {in_file!r}, with which `{fitted}` was fitted, but '
                        f'got {given!r}. Set it to that or to None, or fit again with mmpod.FitGDAHook.'
                    )

    def unfitted_gda(self) -> GaussianDiscriminantAnalysis:
        """Return an estimator with this classifier's settings."""
        return GaussianDiscriminantAnalysis(**self.settings)

    def feature_source(self) -> dict:
        """Return what the features depend on besides the images: normalisation, hash of the weights, stage, scaling."""
        images = normalisation(self.data_preprocessor)
        return dict(images, weights=weights_fingerprint(self), stage=self.stage, normalize=self.normalize)

    def gaussian_features(self, feats: Union[Tensor, tuple[Tensor, ...]]) -> Tensor:
        """Return the features for the Gaussians from the output of the neck, shape (N, D), at least float32."""
        features = stage_features(self.head, feats, self.stage)
        with no_autocast(features):
            features = at_least_float32(features)
            return normalize_rows(features) if self.normalize else features

    def predict(
        self, inputs: Tensor, data_samples: Optional[list[DataSample]] = None, **kwargs: Any
    ) -> list[DataSample]:
        """Predict with the head and the Gaussians; see the class."""
        self._require_fitted()
        feats = self.extract_feat(inputs)
        samples = self.head.predict(feats, data_samples, **kwargs)
        joint, distances = self.gda.predict_joint(self.gaussian_features(feats))
        gap = joint.amax(dim=1, keepdim=True) - joint
        scores = 1 / (1 + gap / self.gda.means_.shape[1])
        scores = (scores / scores.sum(dim=1, keepdim=True)).float()
        rows = zip(samples, scores, joint.argmax(dim=1), joint.logsumexp(dim=1), -distances.amin(dim=1))
        for sample, score, label, density, distance in rows:
            sample.set_field(sample.pred_score, 'cosine_score')
            sample.set_field(sample.pred_label, 'cosine_label')
            sample.set_field(density, 'log_density')
            sample.set_field(distance, 'mahalanobis')
            sample.set_pred_score(score).set_pred_label(label)
        return samples

    def _require_fitted(self) -> None:
        if self.gda is None:
            raise ValueError(
                'Expected fitted Gaussians in GDAClassifier, but got none. Test with tools/test.py, which fits them '
                "(custom_hooks=[dict(type='mmpod.FitGDAHook')]), or name a file of fitted ones in model.fitted. To "
                'train, use the config without GDA.'
            )
        if self._checked:
            return
        source = self.feature_source()
        other = [name for name, value in source.items() if self.gda.notes.get(name, value) != value]
        if other:
            raise ValueError(
                f'Expected `{self.fitted}` to be fitted on the features of this model, but these differ: '
                f'{", ".join(other)}. Load the checkpoint that it was fitted with, or fit again.'
            )
        self._checked = True


def weights_fingerprint(model: nn.Module) -> str:
    """Return a SHA-256 of names, shapes and values of all weights and buffers, the same on every device."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()

r"""How features are arranged around class prototypes and class means: cosines and measures of neural collapse.

NC1 to NC3 are those of Papyan, Han and Donoho, "Prevalence of neural collapse during the terminal phase of deep
learning training" (PNAS 2020, arXiv 2008.08186). With the mean :math:`\mu_c` of each of the C classes that have
samples, and the centre :math:`\mu_G`, the mean of these means:

.. math::
    \Sigma_W = \frac{1}{N} \sum_i (x_i - \mu_{y_i})(x_i - \mu_{y_i})^T, \qquad
    \Sigma_B = \frac{1}{C} \sum_c (\mu_c - \mu_G)(\mu_c - \mu_G)^T .

The paper's data are balanced; here every class has equal weight in :math:`\mu_G` and :math:`\Sigma_B`, so that a
regular simplex is recognised for any class sizes.
"""

from typing import Optional

import torch
from torch import Tensor

from .moments import ClassMoments
from .numerics import normalize_rows
from .spectrum import effective_rank

__all__ = [
    'centred_class_means',
    'neural_collapse',
    'target_and_nontarget_cosines',
    'total_covariance',
]


def target_and_nontarget_cosines(features: Tensor, labels: Tensor, prototypes: Tensor) -> tuple[Tensor, Tensor]:
    """Return each sample's cosine to the prototype of its class, and its largest cosine to any other prototype.

    Args:
        features: Shape (N, D), of any length.
        labels: Shape (N,), integers in [0, K).
        prototypes: Shape (K, D), K >= 2, of any length.

    Returns:
        tuple[Tensor, Tensor]: Both of shape (N,); a sample is classified correctly if the first is larger.

    Example:
        >>> prototypes = torch.tensor([[2., 0.], [0., 1.]])
        >>> target_and_nontarget_cosines(torch.tensor([[3., 4.]]), torch.tensor([0]), prototypes)
        (tensor([0.6000]), tensor([0.8000]))
    """
    cosine = normalize_rows(features) @ normalize_rows(prototypes).T
    index = labels.unsqueeze(1)
    return cosine.gather(1, index).squeeze(1), cosine.scatter(1, index, -torch.inf).amax(dim=1)


def centred_class_means(moments: ClassMoments) -> Tensor:
    r"""Return :math:`\mu_c - \mu_G` of the classes that have samples, shape (C, D)."""
    means = moments.means[moments.counts > 0]
    return means - means.mean(dim=0)


def total_covariance(moments: ClassMoments) -> Tensor:
    """Return the covariance of all features about their mean, divided by N, shape (D, D).

    Args:
        moments: Moments with one scatter over all classes.
    """
    counts, means = moments.counts.unsqueeze(1), moments.means
    residuals = counts.sqrt() * (means - (counts * means).sum(dim=0) / counts.sum())
    return (moments.scatter + residuals.T @ residuals) / counts.sum()


def neural_collapse(moments: ClassMoments, prototypes: Optional[Tensor] = None) -> dict[str, Tensor]:
    r"""Return all measures that are defined for these features, by name.

    ``effective_rank`` needs features that are not all equal, and all other measures need at least two classes whose
    means differ. In addition, ``nc2_equiangularity`` and ``nc2_max_angle`` need class means that all differ from the
    centre, and ``nc3_self_duality`` needs prototypes that are not all 0.

    - ``effective_rank``: effective rank of the covariance; C - 1 for a regular simplex;
    - ``within_between``: :math:`\mathrm{tr}\Sigma_W / \mathrm{tr}\Sigma_B`, which weights directions by the spread of
      the class means along them;
    - ``nc1``: :math:`\mathrm{tr}(\Sigma_W\Sigma_B^+) / C`, which weights them equally, so that a single direction in
      which the means hardly differ can dominate it;
    - ``nc2_equinorm``: standard deviation of the lengths of the centred class means, divided by their mean;
    - ``nc2_equiangularity``, ``nc2_max_angle``: over all pairs of centred class means, the standard deviation of their
      cosines, and the mean of :math:`|\cos + 1/(C-1)|`, both 0 for a regular simplex;
    - ``nc3_self_duality``: :math:`\|W/\|W\|_F - M/\|M\|_F\|_F^2` of the prototypes W and the centred class means M:
      0 if they are proportional, at most 4.

    Args:
        moments: From :func:`~mmpod.functional.class_moments` with ``by_class=False``: one scatter over all classes.
        prototypes: The vectors that the classifier compares features with, shape (K, D), or None.

    Example:
        >>> from mmpod.functional import class_moments
        >>> simplex = torch.tensor([[1., 0.], [-0.5, 0.75 ** 0.5], [-0.5, -(0.75 ** 0.5)]])
        >>> measures = neural_collapse(class_moments(simplex, torch.arange(3), 3, by_class=False))
        >>> round(measures['nc2_max_angle'].item(), 6), round(measures['effective_rank'].item(), 3)
        (0.0, 2.0)
    """
    present, measures = moments.counts > 0, {}
    # Rounding errors of the means, slightly amplified by sums of N terms.
    tolerance = 10 * torch.finfo(torch.float64).eps * max(moments.means.shape) * moments.means.norm()
    covariance = total_covariance(moments)
    if covariance.trace().sqrt() > tolerance:
        measures['effective_rank'] = effective_rank(covariance)
    centred = centred_class_means(moments)
    _, values, vectors = torch.linalg.svd(centred, full_matrices=False)
    if not (values > tolerance).any():
        return measures
    squares, vectors = values[values > tolerance].square(), vectors[values > tolerance]
    within = moments.scatter / moments.counts.sum()
    measures['within_between'] = within.trace() * len(centred) / squares.sum()
    # C Sigma_B has the eigenvalues `squares`: C of the inverse and 1/C of the definition cancel.
    measures['nc1'] = (((vectors @ within) * vectors).sum(dim=1) / squares).sum()
    lengths = centred.norm(dim=1)
    measures['nc2_equinorm'] = lengths.std(correction=0) / lengths.mean()
    if lengths.min() > tolerance:
        unit, num_classes = normalize_rows(centred), len(centred)
        pairs = torch.ones(num_classes, num_classes, dtype=torch.bool, device=centred.device).triu(1)
        cosine = (unit @ unit.T)[pairs]
        measures['nc2_equiangularity'] = cosine.std(correction=0)
        measures['nc2_max_angle'] = (cosine + 1 / (num_classes - 1)).abs().mean()
    if prototypes is not None and prototypes[present].any():
        own = prototypes[present].to(centred)
        measures['nc3_self_duality'] = (own / own.norm() - centred / centred.norm()).square().sum()
    return measures

"""The estimator on a GPU: everything stays there, and the numbers are those of the CPU."""

import pytest
import torch
from torch.testing import assert_close

from mmpod.posthoc import GaussianDiscriminantAnalysis

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_gpu_and_cpu_agree(covariance):
    labels = torch.arange(600) % 6
    features = torch.randn(600, 12, dtype=torch.float64) + 2 * torch.randn(6, 12, dtype=torch.float64)[labels]
    cpu = GaussianDiscriminantAnalysis(covariance=covariance).fit(features, labels)
    gpu = GaussianDiscriminantAnalysis(covariance=covariance).fit(features.cuda(), labels.cuda())
    for name in ('predict', 'predict_log_proba', 'score_samples'):
        ours = getattr(gpu, name)(features.cuda())
        assert ours.is_cuda, name
        assert_close(ours.cpu(), getattr(cpu, name)(features), rtol=1e-8, atol=1e-8)

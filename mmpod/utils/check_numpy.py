"""Refuse a NumPy that the installed PyTorch cannot use, before another package fails on it."""

import numpy
import torch

try:
    torch.empty(0).numpy()
except RuntimeError as error:
    raise ImportError(
        f'Expected NumPy 1, for which torch {torch.__version__} was built, but got {numpy.__version__}. Install torch '
        "2.3 or later, or add 'numpy<2' to the command that installed mmpod, such as pip install -e . 'numpy<2'."
    ) from error

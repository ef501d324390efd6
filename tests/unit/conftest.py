"""Fixtures of the unit tests."""

import pytest


@pytest.fixture
def drawn(monkeypatch):
    """Figures that would be written."""
    from matplotlib import pyplot as plt

    figures = []
    for module in ('experiments.figures', 'visualization.embedding', 'visualization.geometry_plots'):
        monkeypatch.setattr(f'mmpod.{module}.write_png', lambda figure, path: figures.append(figure))
    yield figures
    plt.close('all')

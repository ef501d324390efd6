"""The order of the house: imports run one way, and files stay small."""

import pytest
from import_graph import import_graph, wrong_arrows

MAX_LINES = 250


def test_imports_run_downwards(root):
    graph = import_graph(root)
    assert ('models', 'functional') in graph and ('tools', 'experiments') in graph
    assert not wrong_arrows(graph)


@pytest.mark.parametrize(
    'file, line',
    [
        ('mmpod/functional/a.py', 'from mmpod.models import PODLoss'),
        ('mmpod/functional/a.py', 'from ..models.losses import PODLoss'),
        ('mmpod/functional/a.py', 'def late():\n    import mmpod.engine'),
        ('mmpod/engine/hooks/a.py', 'from mmpod import __version__'),
        ('mmpod/engine/hooks/a.py', 'from mmpod import export'),
    ],
)
def test_an_import_that_runs_up_is_found(file, line, tmp_path):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    (path.parent / 'b.py').write_text('import torch\nfrom mmpod.utils import checks\nfrom . import c\n')
    assert not wrong_arrows(import_graph(tmp_path))
    path.write_text(line)
    assert [files for files in wrong_arrows(import_graph(tmp_path)).values()] == [[file]]


def test_functions_know_no_processes(root):
    for path in (root / 'mmpod/functional').glob('*.py'):
        assert 'torch.distributed' not in path.read_text(), path


def test_files_are_short(root):
    files = [
        path for folder in ('mmpod', 'tools') for path in (root / folder).rglob('*') if path.suffix in ('.py', '.sh')
    ]
    lengths = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in files}
    assert len(lengths) > 50
    assert not {file: lines for file, lines in lengths.items() if lines > MAX_LINES}

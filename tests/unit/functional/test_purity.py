"""functional/ holds pure functions: no process group, no collectives, no registry."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / 'mmpod' / 'functional'


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f'{node.module}.{name.name}' for name in node.names)


@pytest.mark.parametrize('path', sorted(FOLDER.glob('*.py')), ids=lambda path: path.name)
def test_no_process_group_and_no_registry(path):
    for name in imported(path):
        assert not name.startswith(('torch.distributed', 'mmpod.utils.distributed', 'mmpod.registry', 'mmengine')), name
        assert not name.startswith('mmpod.') or name.startswith('mmpod.utils.checks'), name

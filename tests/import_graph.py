"""Which room of the package imports which, and the order that the arrows must keep: `python tests/import_graph.py`."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each room may import from rooms above it in this list and, without a cycle, from rooms on its own line.
LAYERS = [
    ['registry', 'utils', 'version'],
    ['functional'],
    ['datasets', 'models', 'posthoc'],
    ['engine', 'evaluation'],
    ['conversion', 'export', 'visualization'],
    ['experiments'],
    ['mmpod'],  # the package itself, which collects and registers the rooms: `__init__` and `shipped_configs`
    ['tools'],
]
LAYER = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}


def room_of(module):
    """Return the room of a dotted module name of the package."""
    parts = module.split('.')
    return parts[1] if len(parts) > 1 and parts[1] in LAYER else 'mmpod'


def imported_modules(tree, package):
    """Yield the modules of mmpod that a file imports, as absolute names; `package` is the one that the file is in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split('.')[0] == 'mmpod')
        elif isinstance(node, ast.ImportFrom):
            base = package.split('.')[: len(package.split('.')) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            if module == 'mmpod':  # `from mmpod import models` means the room
                yield from (f'mmpod.{alias.name}' for alias in node.names)
            elif module.startswith('mmpod.'):
                yield module


def import_graph(root=ROOT):
    """Return the files behind each arrow, `{(from, to): [file, ...]}`, between different rooms."""
    graph = defaultdict(list)
    for path in sorted([*(root / 'mmpod').rglob('*.py'), *(root / 'tools').glob('*.py')]):
        relative = path.relative_to(root)
        if '.mim' in relative.parts:
            continue
        package = '.'.join(relative.parent.parts)
        room = 'tools' if relative.parts[0] == 'tools' else room_of('.'.join(relative.with_suffix('').parts))
        for module in imported_modules(ast.parse(path.read_text()), package):
            if room_of(module) != room and str(relative) not in graph[room, room_of(module)]:
                graph[room, room_of(module)].append(str(relative))
    return {arrow: files for arrow, files in graph.items() if files}


def wrong_arrows(graph):
    """Return the arrows that run up, or in a circle on one layer."""
    return {
        (start, end): files
        for (start, end), files in graph.items()
        if LAYER[end] > LAYER[start] or (LAYER[end] == LAYER[start] and (end, start) in graph)
    }


if __name__ == '__main__':
    arrows = import_graph()
    for rooms in LAYERS:
        for room in rooms:
            print(f'{room:13} imports', ', '.join(sorted(end for start, end in arrows if start == room)) or 'nothing')
    wrong = wrong_arrows(arrows)
    for (start, end), files in wrong.items():
        print(f'WRONG: {start} -> {end} in {", ".join(files)}')
    raise SystemExit(bool(wrong))

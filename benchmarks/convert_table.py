"""The tables that docs/convert_table.md includes, from the rows of convert_sweep.py."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

__all__ = ['FIELDS', 'tables', 'write_table']

FIELDS = [
    *('config', 'model', 'backbone', 'head', 'num_classes', 'in_channels', 'feat_dim', 'change', 'image', 'batch'),
    *('reduced', 'million_parameters', 'loss', 'without_gradient', 'original_without_gradient', 'predicted', 'result'),
    *('reason', 'notes', 'seconds', 'peak_mib', 'same_as', 'mmpretrain', 'torch'),
]


def table(header: list[str], rows: list[list]) -> str:
    """Return a Markdown table."""
    lines = [header, ['---'] * len(header), *rows]
    return ''.join(f'| {" | ".join(map(str, line))} |\n' for line in lines)


def tables(rows: list[dict]) -> str:
    """Return the text that docs/convert_table.md includes; docs/convert.md includes its first line."""
    count = Counter(row['result'] for row in rows)
    tried = [row for row in rows if row['result'] in ('ok', 'failed')]
    models = sum(not row['same_as'] for row in tried if row['result'] == 'ok')
    versions = sorted({f'mmpretrain {row["mmpretrain"]}, torch {row["torch"]}' for row in rows})
    text = (
        f'{"; ".join(versions)}, CPU: **{count["ok"]} of {len(tried)}** single-label configs convert, train and '
        f'predict ({models} different models). {count["refused"]} more `ImageClassifier` configs are refused, and '
        f'{count["unreadable"]} files that mmpretrain itself cannot load were not tried.\n\n'
    )
    groups = defaultdict(list)
    for row in tried:
        groups[row['backbone'], row['head']].append(row)
    lines = []
    for (backbone, head), group in sorted(groups.items()):
        changes = sorted({row['change'] for row in group if row['change']})
        good = sum(row['result'] == 'ok' for row in group)
        channels = sorted({int(row['in_channels']) for row in group if row['in_channels']})
        span = str(channels[0]) if channels[:1] == channels[-1:] else f'{channels[0]} to {channels[-1]}'
        lines.append([backbone, head, f'{good} of {len(group)}', span, '; '.join(changes)])
    text += table(['backbone', 'head', 'converted', 'in_channels', 'changed beside the head'], lines)
    text += _listing('Failed', [row for row in tried if row['result'] == 'failed'])
    text += _listing('Refused', [row for row in rows if row['result'] == 'refused'])
    text += _listing('Not loaded by mmpretrain', [row for row in rows if row['result'] == 'unreadable'])
    silent = [row for row in tried if row['without_gradient'] not in ('', '0')]
    if silent:
        kinds = Counter(
            (row['backbone'], row['head'], row['without_gradient'], row['original_without_gradient']) for row in silent
        )
        text += '\nParameters without gradient, converted and original:\n\n'
        lines = [[*key, number] for key, number in sorted(kinds.items())]
        text += table(['backbone', 'head', 'converted', 'original', 'configs'], lines)
    reduced = sorted(row['config'] for row in tried if row['reduced'])
    if reduced:
        text += f'\nStep and prediction with K = 1000 and D = 2048, for memory: {", ".join(reduced)}.\n'
    return text


def _listing(title: str, rows: list[dict]) -> str:
    reasons = defaultdict(list)
    for row in rows:
        reasons[row['reason'].replace('|', '/')].append(row['config'])
    lines = [[', '.join(sorted(names)), reason] for reason, names in sorted(reasons.items())]
    return f'\n{title}:\n\n' + table(['config', 'reason'], lines) if rows else ''


def write_table(path: Path, output: Path) -> None:
    """Write the tables of the rows in ``path``."""
    with path.open() as file:
        output.write_text(tables(list(csv.DictReader(file))))

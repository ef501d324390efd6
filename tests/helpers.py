"""What tests share."""

import json


def write_log(folder, *entries, started='20260101_000000', torn=''):
    """Write the log of a training that started then, ending in a torn line if there is one, and return its path."""
    path = folder / started / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(entry) + '\n' for entry in entries) + torn)
    return path

"""Execute the fenced ```bash and ```python blocks of a page, in order, here: `python run_page.py docs/tutorial.md`.

A shell block gets the variables that the one before left; the Python blocks share a namespace, but one whose first line
is `# NAME.py` is written to that file. In a notebook, cells start with `%%bash` and `%%writefile NAME.py` instead.
`page_commands.py` says which commands are changed or skipped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from page_commands import APPEND, FILL_IN, SKIP

BLOCK = re.compile(r'^( *)```(bash|python)\b.*\n([\s\S]*?)^\1```$', re.M)


def blocks(page, text):
    """Return the (language, code) of each block, with the reader's own words filled in."""
    for word, filled_in in FILL_IN.get(page, {}).items():
        text = text.replace(word, filled_in)
    if page.endswith('.ipynb'):
        cells = [''.join(cell['source']) + '\n' for cell in json.loads(text)['cells'] if cell['cell_type'] == 'code']
        shell = '%%bash\n'
        return [
            ('bash', cell[len(shell) :]) if cell.startswith(shell) else ('python', cell.replace('%%writefile', '#', 1))
            for cell in cells
        ]
    return [(language, re.sub(f'^{indent}', '', code, flags=re.M)) for indent, language, code in BLOCK.findall(text)]


def commands(code):
    """Return the command lines of a shell block; one that goes on after a backslash is a single line."""
    return [line for line in code.replace('\\\n', ' ').splitlines() if line.strip() and not line.startswith('#')]


def entry(table, page, command):
    """Return the key and value of a table for a command: the first whose page and part of the command fit."""
    fitting = (key for key in table if key[0] in (page, '*') and key[1] in command)
    key = next(fitting, None)
    return key, table.get(key)


def changed(page, command):
    """Return a command as it is executed here."""
    if entry(SKIP, page, command)[0]:
        return f'# skipped: {command}'
    appended = entry(APPEND, page, command)[1]
    return f'{command.split(" #")[0]} {appended}' if appended else command


def run_shell(code):
    """Run a shell block, stopping at the first error, and take over the variables that it sets."""
    with tempfile.NamedTemporaryFile() as variables:
        script = f'set -aeo pipefail\n{code}\nenv -0 > {variables.name}'
        done = subprocess.run(['bash', '-c', script])
        if done.returncode:
            sys.exit(f'{code}\nended with {done.returncode}')
        os.environ.update(line.split('=', 1) for line in Path(variables.name).read_text().split('\0') if line)


def run_page(page):
    """Execute a page in this folder."""
    namespace = {'__name__': page}
    for language, code in blocks(page, Path(page).read_text()):
        if language == 'bash':
            code = '\n'.join(changed(page, command) for command in commands(code))
        print(f'--- {language}\n{code}', flush=True)
        file = re.match(r'# (\S+\.py)\n', code)
        if language == 'bash':
            run_shell(code)
        elif file:
            Path(file[1]).write_text(code)
        else:
            exec(compile(code, page, 'exec'), namespace)


if __name__ == '__main__':
    sys.path.insert(0, os.getcwd())
    run_page(sys.argv[1])

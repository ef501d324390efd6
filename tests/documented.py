"""Carrying out a document: its Python blocks and indented commands, in order, in this process."""

import contextlib
import glob
import io
import re
import runpy
import shlex
import sys
from pathlib import Path


def steps(text):
    """Return the Python blocks and the indented commands of a Markdown text, in order."""
    return [match[1] or match[2] for match in re.finditer(r'^```python\n([\s\S]*?)^```|^    (\S.*)$', text, re.M)]


def carry_out(step, namespace):
    """Do a step of the document: run a command, write a file that the code names, or execute other Python code."""
    if step.startswith('TOOLS=$('):
        code = shlex.split(step[len('TOOLS=$(') : -1])[2]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, {})
        namespace['tools'] = printed.getvalue().strip()
    elif step.startswith('python '):
        words = shlex.split(step.replace('$TOOLS', namespace.get('tools', '')))[1:]
        sys.argv = [path for word in words for path in (sorted(glob.glob(word)) if '*' in word else [word])]
        with contextlib.suppress(SystemExit):
            runpy.run_path(sys.argv[0], run_name='__main__')
    elif re.match(r'# \S+\.py\n', step):
        Path(step.split()[1]).write_text(step)
    else:
        exec(step, namespace)

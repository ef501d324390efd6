"""Carrying out a document: its Python blocks and its commands, in order."""

import contextlib
import glob
import io
import re
import runpy
import shlex
import sys
from pathlib import Path

COMMAND = r'(?:\w+=\S+ )*(?:python|bash|make|pip|mim|tensorboard) '


def steps(text):
    """Return the Python blocks and the indented commands, without comments, of a Markdown text, in order."""
    found = re.finditer(rf'^```python\n([\s\S]*?)^```|^    ((?:{COMMAND}|TOOLS=)(?:.*\\\n)*.*)$', text, re.M)
    return [match[1] or re.sub(' # .*', '', ' '.join(match[2].replace('\\\n', '').split())) for match in found]


def inline_commands(text):
    """Return the commands between single backticks."""
    prose = re.sub(r'^```[\s\S]*?^```', '', text, flags=re.M)
    spans = (' '.join(span.split()) for span in re.findall(r'`([^`]+)`', prose))
    return [span for span in spans if re.match(COMMAND, span)]


def carry_out(step, namespace):
    """Do a step of the document here: run a command, write a file that the code names, or execute other code."""
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
    elif names_file(step):
        Path(step.split()[1]).write_text(step)
    else:
        exec(step, namespace)


def names_file(step):
    """Say whether a Python block begins with the name of the file that it is."""
    return re.match(r'# \S+\.py\n', step)


class Elsewhere(str):
    """The test, `FILE::NAME`, that does what the command does."""


class NotHere(str):
    """The reason why no test carries the command out."""


def toy(*changes, options=''):
    """Return a function that makes a command small: (pattern, replacement) pairs, then overrides of the config."""

    def shrunk(command):
        for pattern, replacement in changes:
            command = re.sub(pattern, replacement, command, count=1)
        if options:
            command += ' ' if '--cfg-options' in command else ' --cfg-options '
        return command + options

    return shrunk

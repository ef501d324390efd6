"""For the site: its version, pages of notebooks, docstrings in Sphinx's notation, and formulas as MathML."""

import html
import json
import re
from pathlib import Path

import griffe
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from mmpod.version import __version__

ROLES = [
    (r':math:`([^`]+)`', r'\\(\1\\)'),
    (r':\w+:`~(?:[\w.]+\.)?(\w+)`', r'`\1`'),
    (r':\w+:`([\w.]+)`', r'`\1`'),
]
DIRECTIVE = re.compile(r'^( *)\.\. math::(.*?)(?=\n\s*\n|\Z)', re.M | re.S)
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.S)


def to_markdown(text: str) -> str:
    """Return a docstring with its roles and formulas in the notation of Markdown."""
    text = DIRECTIVE.sub(lambda found: f'{found[1]}\\[{" ".join(found[2].split())}\\]', text)
    for pattern, replacement in ROLES:
        text = re.sub(pattern, replacement, text)
    return text


class Docstrings(griffe.Extension):
    """Convert each docstring when it is collected."""

    def on_object(self, *, obj: griffe.Object, **kwargs: object) -> None:
        """Called by Griffe for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = to_markdown(obj.docstring.value)


def notebook_page(path: Path) -> str:
    """Return a notebook in Markdown: its code, what that printed, and its pictures."""
    parts = []
    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
        source = ''.join(cell['source'])
        if cell['cell_type'] == 'markdown':
            parts.append(source)
            continue
        language = 'bash' if source.startswith('%%bash\n') else 'python'
        file = re.match(r'%%writefile (\S+)\n', source)
        title = f' title="{file[1]}"' if file else ''
        parts.append(f'```{language}{title}\n{re.sub(r"^%%.*", "", source).strip()}\n```')
        for output in cell['outputs']:
            image = output.get('data', {}).get('image/png')
            printed = ''.join(output.get('text', ''))
            if image:
                parts.append(f'![Output of the code above](data:image/png;base64,{"".join(image.split())})')
            elif printed and not file:
                parts.append(f'```text\n{printed.rstrip()}\n```')
    parts.insert(1, f'[Download the notebook](<{path.name}>)')
    return '\n\n'.join(parts)


def on_config(config: MkDocsConfig) -> None:
    """Called by MkDocs first: each page ends with the version of mmpod that it is about."""
    config.copyright = f'mmpod {__version__}'


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Called by MkDocs with all files of the site: add a page for each notebook."""
    for file in [file for file in files if file.src_uri.endswith('.ipynb')]:
        content = notebook_page(Path(file.abs_src_path))
        files.append(File.generated(config, file.src_uri.replace('.ipynb', '.md'), content=content))
    return files


def on_page_markdown(markdown: str, **kwargs: object) -> str:
    """Called by MkDocs with the Markdown of each page: a link to a notebook leads to its page."""
    return re.sub(r'\.ipynb(?=[)#])', '.md', markdown)


def on_page_content(content: str, **kwargs: object) -> str:
    """Called by MkDocs with the HTML of each page."""
    return FORMULA.sub(
        lambda found: convert(html.unescape(found[2]), display='block' if found[1] == 'div' else 'inline'), content
    )

"""For the site: docstrings in Sphinx's notation, and formulas as MathML, which browsers draw without a script."""

import html
import re

import griffe
from latex2mathml.converter import convert

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


def on_page_content(content: str, **kwargs: object) -> str:
    """Called by MkDocs with the HTML of each page."""
    return FORMULA.sub(
        lambda found: convert(html.unescape(found[2]), display='block' if found[1] == 'div' else 'inline'), content
    )

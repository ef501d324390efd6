"""What the site makes of docstrings, formulas and notebooks, where the extra `docs` is installed."""

import json
import runpy
from types import SimpleNamespace

import pytest

import mmpod

for package in ('griffe', 'latex2mathml', 'mkdocs'):
    pytest.importorskip(package)


@pytest.fixture(scope='module')
def hooks(root):
    return runpy.run_path(str(root / 'docs/hooks.py'))


def test_roles_and_formulas_become_markdown(hooks):
    text = (
        'Pull :math:`x_i` to :func:`~mmpod.functional.pedcc`, see :class:`PODLoss`.\n\n'
        '    .. math::\n        a \\\\\n        b\n\nEnd.'
    )
    assert hooks['to_markdown'](text) == 'Pull \\(x_i\\) to `pedcc`, see `PODLoss`.\n\n    \\[a \\\\ b\\]\n\nEnd.'


def test_formulas_become_mathml(hooks):
    page = hooks['on_page_content']('<p><span class="arithmatex">\\(a &lt; b\\)</span></p>')
    assert page.startswith('<p><math') and '<mo>&#x0003C;</mo>' in page and 'arithmatex' not in page
    page = hooks['on_page_content']('<div class="arithmatex">\\[\n\\sum_i x_i\n\\]</div>')
    assert 'display="block"' in page and page.endswith('</math>')


def test_a_notebook_becomes_a_page(hooks, tmp_path):
    printed, file = (dict(output_type='stream', text=[f'{word}\n']) for word in ('printed', 'Writing x.py'))
    picture = dict(output_type='execute_result', data={'image/png': 'AA\nBB', 'text/plain': ['<Image>']})
    cells = [
        dict(cell_type='markdown', source=['# Title\n', '[Next](n.ipynb#a)']),
        dict(cell_type='code', source=['%%bash\n', 'ls'], outputs=[printed]),
        dict(cell_type='code', source=['%%writefile x.py\n', 'a = 1'], outputs=[file]),
        dict(cell_type='code', source=['picture'], outputs=[picture]),
    ]
    (tmp_path / 'n.ipynb').write_text(json.dumps(dict(cells=cells)))
    page = hooks['on_page_markdown'](hooks['notebook_page'](tmp_path / 'n.ipynb'))
    assert page.split('\n\n') == [
        '# Title\n[Next](n.md#a)',
        '[Download the notebook](<n.ipynb>)',
        '```bash\nls\n```',
        '```text\nprinted\n```',
        '```python title="x.py"\na = 1\n```',
        '```python\npicture\n```',
        '![Output of the code above](data:image/png;base64,AABB)',
    ]


def test_each_page_names_the_version(hooks):
    config = SimpleNamespace(copyright=None)
    hooks['on_config'](config)
    assert config.copyright == f'mmpod {mmpod.__version__}'

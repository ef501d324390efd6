"""What the site makes of docstrings and formulas, where the extra `docs` is installed."""

import runpy

import pytest

pytest.importorskip('griffe')
pytest.importorskip('latex2mathml')


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

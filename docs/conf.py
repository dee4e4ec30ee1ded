"""Sphinx: ``python -m sphinx -W docs site`` builds the documentation, with the extra ``docs``."""

from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

project = "kvfloor"
author = "the kvfloor authors"
project_copyright = "2026, the kvfloor authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_math_renderer = "mathml"
exclude_patterns = ["examples/*"]
html_theme = "furo"
html_title = "kvfloor"

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.xref_missing",  # links to files outside of docs; a test follows them
    "ref.python",  # words such as d in the types of docstrings, where several things have the name
    "misc.highlighting_failure",  # csv has no highlighter
]

default_role = "py:obj"  # `name` in a docstring
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True


def setup(app: Any) -> None:
    """Formulas as MathML, which browsers draw themselves: pages load nothing."""

    def inline(translator: Any, node: Any) -> None:
        translator.body.append(convert(node.astext()))
        raise SkipNode

    def block(translator: Any, node: Any) -> None:
        # the one environment of its kind that the converter knows
        formula = convert(node.astext().replace("{aligned}", "{align*}"), display="block")
        translator.body.append(f'<div class="math" style="overflow: auto hidden">{formula}</div>')
        raise SkipNode

    app.add_html_math_renderer("mathml", (inline, None), (block, None))

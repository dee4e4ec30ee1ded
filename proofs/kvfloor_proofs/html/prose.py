"""Prose of claims as HTML: Markdown, with the formulas in it set as formulas."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

__all__ = ["formula", "line", "paragraphs"]

# What is raised or lowered: in braces, in parentheses (which go), or a sign and one word.
_RAISED = re.compile(r"\^(?:\{([^{}]*)\}|\(((?:[^()]|\([^()]*\))*)\)|(Ω\([^()]*\)|[-−±]?[^\W_]+))")
_LOWERED = re.compile(r"_(?:\{([^{}]*)\}|\(([^()]*)\)|([^\W_]{1,3}|∞)(?![^\W_]))")
# A hyphen of prose joins words; any other is a minus.
_MINUS = re.compile(r"(?<![^\W\d_])-(?=\s|[^\W_][²³]?\b|[α-ωΑ-Ω(\d])|(?<=[^\W_])-(?=[\d(α-ω])")
_SLUG = re.compile(r"^([\w-]+)\.md$")
_NAME = re.compile(r"^[a-z][\w.-]{2,}(\([\w, ]*\))?$|^kvfloor ")


def formula(text: str) -> Markup:
    """Return plain text as HTML, with ``x_i`` lowered, ``2^n`` raised, and mathematical signs."""
    text = str(escape(text.replace(">=", "≥").replace("<=", "≤")))
    text = _RAISED.sub(lambda found: f"<sup>{_group(found)}</sup>", text)
    text = _LOWERED.sub(lambda found: f"<sub>{_group(found)}</sub>", text)
    return Markup(text)  # noqa: S704 (escaped above)


def _group(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None)


def paragraphs(markdown: str, sections: Collection[str] = ()) -> Markup:
    """Return Markdown as HTML; links to the page of a claim lead to its section, if there is one.

    Parameters
    ----------
    markdown : str
    sections : collection of str
        Slugs of the claims on the page.
    """
    return Markup(_MARKDOWN.render(markdown, {"sections": sections}))  # noqa: S704 (html is off)


def line(markdown: str) -> Markup:
    """Return one line of Markdown as HTML without a paragraph."""
    return Markup(_MARKDOWN.renderInline(markdown, {"sections": ()}))  # noqa: S704 (html is off)


def _text(_self: Any, tokens: Sequence[Token], place: int, *_: Any) -> str:
    return str(formula(_MINUS.sub("−", tokens[place].content)))  # markdown-it < 4.1 adds it to text


def _code(_self: Any, tokens: Sequence[Token], place: int, *_: Any) -> str:
    content = tokens[place].content
    if _NAME.match(content):
        return f"<code>{escape(content)}</code>"
    return f'<span class="formula">{formula(content.replace("-", "−"))}</span>'


def _displayed(_self: Any, tokens: Sequence[Token], place: int, *_: Any) -> str:
    content = formula(tokens[place].content.strip().replace("-", "−"))
    return f'<p class="formula scroll" tabindex="0">{content}</p>\n'


def _table(_self: Any, tokens: Sequence[Token], place: int, *_: Any) -> str:
    opens = tokens[place].nesting == 1
    return '<div class="scroll" tabindex="0"><table>\n' if opens else "</table></div>\n"


def _heading(_self: Any, _tokens: Sequence[Token], _place: int, *_: Any) -> str:
    return '<th scope="col">'


def _link(
    self: RendererHTML,
    tokens: Sequence[Token],
    place: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[place]
    target = _SLUG.match(str(token.attrs.pop("href")))
    if target and target[1] in env["sections"]:
        token.attrs["href"] = f"#{target[1]}"
    return self.renderToken(tokens, place, options, env)


_RULES: Mapping[str, Callable[..., str]] = {
    "text": _text,
    "code_inline": _code,
    "code_block": _displayed,
    "table_open": _table,
    "table_close": _table,
    "th_open": _heading,
    "link_open": _link,
}


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table")
    for kind, render in _RULES.items():
        markdown.add_render_rule(kind, render)
    return markdown


_MARKDOWN = _renderer()

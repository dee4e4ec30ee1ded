"""The page that `kvfloor league --html` writes: docs/league.md complete in itself, to be sorted."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from kvfloor_proofs.html.versions import versions

__all__ = ["league_document"]

TEMPLATES = files("kvfloor_proofs.html") / "templates"
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def league_document(page: str, pictures: Mapping[str, bytes]) -> str:
    """Return the page of a league as one HTML document that loads nothing.

    Its table is sorted by whichever column is clicked, where scripts run.

    Parameters
    ----------
    page : str
        As `league_page` returns it.
    pictures : mapping of bytes
        The PNG files that it shows, by name.
    """
    tokens = _MARKDOWN.parse(page)
    for token in _every(tokens):
        if token.type == "image":
            picture = b64encode(pictures[str(token.attrs["src"])]).decode()
            token.attrs["src"] = f"data:image/png;base64,{picture}"
        elif token.type in {"link_open", "link_close"}:  # to what is elsewhere
            token.hidden = True
    title = next(token.content for token in tokens if token.type == "inline")
    environment = Environment(loader=PackageLoader("kvfloor_proofs.html"), autoescape=True)
    return environment.get_template("league.html").render(
        title=title,
        body=_trusted(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})),
        style=_trusted((TEMPLATES / "style.css").read_text("utf-8")),
        script=_trusted((TEMPLATES / "sort.js").read_text("utf-8")),
        versions=versions(),
    )


def _every(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _scrolling(label: str, html: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{html}'


def _table_open(*_: Any) -> str:
    return _scrolling("Rows", '<table class="league">\n')


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _fence(_self: Any, tokens: Sequence[Token], place: int, *_: Any) -> str:
    return _scrolling("Command", f"<pre>{escape(tokens[place].content)}</pre></div>\n")


_MARKDOWN.add_render_rule("table_open", _table_open)
_MARKDOWN.add_render_rule("table_close", _table_close)
_MARKDOWN.add_render_rule("fence", _fence)


def _trusted(html: str) -> Markup:
    return Markup(html)  # noqa: S704 (our own, or Markdown's with html off)

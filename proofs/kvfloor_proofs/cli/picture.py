"""``kvfloor audit --picture``: a drawing that is stored in a cache, as it comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kvfloor_proofs.cli.files import printable

__all__ = ["check_picture", "draw_in_model", "draw_picture"]

OF_DRAWINGS = ("n", "d", "order", "eta", "alpha", "seconds", "seed")


def check_picture(file: str) -> None:
    """Refuse a name that says no format, before the work is done."""
    from kvfloor.audit import PICTURES

    if not file.endswith(PICTURES):
        expected = f"a name that ends in {', '.join(PICTURES)}"
        raise click.UsageError(f"--picture: expected {expected}, got {file!r}")


def draw_picture(cache: Any, name: str, file: str, terms: dict[str, Any]) -> None:
    """Draw what a cache gives back of a drawing; say so if it gives back nothing."""
    from kvfloor.audit import stored_drawing

    given = {option: terms[option] for option in OF_DRAWINGS}
    _draw(lambda: stored_drawing(cache, **given), name, file)


def draw_in_model(compressor: str, name: str, file: str, terms: dict[str, Any]) -> None:
    """Draw what a compressor inside a model gives back; say so if it gives back nothing."""
    from kvfloor.adapters import drawing_in_model

    _draw(lambda: drawing_in_model(compressor, **terms), name, file)


def _draw(made: Callable[[], Any], name: str, file: str) -> None:
    from kvfloor.audit import draw_dots
    from kvfloor.isolation import Misbehaviour

    try:
        draw_dots(made(), name, file)
    except Misbehaviour as fault:
        click.echo(printable(f"{file}: not drawn: {fault}"), err=True)

"""``kvfloor audit --picture``: a drawing that is stored in a cache, as it comes back."""

from __future__ import annotations

from typing import Any

import click

from kvfloor_proofs.cli.files import printable

__all__ = ["check_picture", "draw_picture"]

OF_DRAWINGS = ("n", "d", "order", "eta", "alpha", "seconds", "seed")


def check_picture(file: str) -> None:
    """Refuse a name that says no format, before the work is done."""
    from kvfloor.audit import PICTURES

    if not file.endswith(PICTURES):
        expected = f"a name that ends in {', '.join(PICTURES)}"
        raise click.UsageError(f"--picture: expected {expected}, got {file!r}")


def draw_picture(cache: Any, name: str, file: str, terms: dict[str, Any]) -> None:
    """Draw what a cache gives back of a drawing; say so if it gives back nothing."""
    from kvfloor.audit import draw_dots, stored_drawing
    from kvfloor.isolation import Misbehaviour

    try:
        drawing = stored_drawing(cache, **{option: terms[option] for option in OF_DRAWINGS})
    except Misbehaviour as fault:
        click.echo(printable(f"{file}: not drawn: {fault}"), err=True)
        return
    draw_dots(drawing, name, file)

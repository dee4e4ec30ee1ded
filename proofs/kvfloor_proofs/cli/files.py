"""What commands write: whole files, and text that steers no terminal."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import click

__all__ = ["check_folder", "check_writable", "html_pages", "printable", "quiet", "write"]

quiet = click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")


def printable(text: str) -> str:
    """Escape what could forge a line or steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def check_writable(file: str, option: str) -> None:
    """Refuse what `write` could not write, before the work is done."""
    target = Path(file)
    if file != "-" and (not file or target.is_dir() or not target.resolve().parent.is_dir()):
        raise click.UsageError(f"{option}: expected a file in a folder that exists, got {file!r}")


def check_folder(folder: str, option: str) -> None:
    """Refuse what is no folder and cannot become one, before the work is done."""
    place = Path(folder)
    if not (place.is_dir() or (not place.exists() and place.resolve().parent.is_dir())):
        expected = "a folder, or a new one in a folder that exists"
        raise click.UsageError(f"{option}: expected {expected}, got {folder!r}")


def write(file: str, text: str) -> None:
    """Write a whole file or none; ``-`` is standard output."""
    from kvfloor.files import write_whole

    if file == "-":
        click.echo(text, nl=False)
    else:
        write_whole(file, text.encode())


def html_pages() -> ModuleType:
    """Return what makes pages, found before the work is done; its libraries are an extra."""
    try:
        from kvfloor_proofs import html
    except ModuleNotFoundError as error:
        needed = "expected the extra of kvfloor named report (pip install 'kvfloor[report]')"
        raise click.UsageError(f"--html: {needed}, got no module {error.name}") from None
    return html

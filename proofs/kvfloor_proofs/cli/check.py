"""`kvfloor check`."""

from __future__ import annotations

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import printable, quiet
from kvfloor_proofs.cli.settings import configured, importable

__all__ = ["check"]

STATUS_CODES = {"ok": 0, "invalid": 1, "malformed": 2}


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--cache", metavar="MODULE:FACTORY", help="Replay the instances on this cache.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the cache.")
@quiet
@verbose
def check(files: tuple[str, ...], cache: str | None, settings: tuple[str, ...], quiet: bool) -> int:
    """Check certificates.

    Exit status 0 if all hold, 1 if one is invalid, 2 if one is malformed or cannot be read.

    Example: kvfloor check collision.json --cache mycaches:Mine
    """
    from kvfloor.certificates import MOST_CHARACTERS
    from kvfloor.certificates import check as check_text

    factory = None if cache is None else importable(configured(cache, settings), "--cache")
    worst = 0
    for file in files:
        try:
            with open(file, "rb") as stream:
                text = stream.read(MOST_CHARACTERS + 1)
        except OSError as error:
            click.echo(printable(f"{file}: cannot be read: {error.strerror}"), err=True)
            worst = 2
            continue
        outcome = check_text(text, cache=factory)
        notes = (
            [outcome.reason] if outcome.reason else [f"unchecked: {u}" for u in outcome.unchecked]
        )
        if not quiet or outcome.status != "ok":
            click.echo(printable(": ".join([file, outcome.status, *notes])))
        worst = max(worst, STATUS_CODES[outcome.status])
    return worst

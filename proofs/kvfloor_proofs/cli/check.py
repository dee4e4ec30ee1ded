"""`kvfloor check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import printable, quiet
from kvfloor_proofs.cli.settings import configured, importable

if TYPE_CHECKING:
    from kvfloor.isolation import Factory

__all__ = ["check"]

UNPROVED, UNREADABLE, FAILED = "not proved", "cannot be read", "Coq failed"
STATUS_CODES = {"ok": 0, "invalid": 1, UNPROVED: 1, "malformed": 2, UNREADABLE: 2, FAILED: 2}


@dataclass(frozen=True)
class Report:
    """What is printed of a file; its text, if it is a certificate that holds."""

    file: str
    status: str
    notes: tuple[str, ...]
    text: bytes = b""


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--cache", metavar="MODULE:FACTORY", help="Replay the instances on this cache.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the cache.")
@click.option("--verified", is_flag=True, help="Have Coq prove them, too.")
@quiet
@verbose
def check(
    files: tuple[str, ...],
    cache: str | None,
    settings: tuple[str, ...],
    verified: bool,
    quiet: bool,
) -> int:
    """Check certificates.

    Exit status 0 if all hold, 1 if one is invalid (or not proved), 2 if one is malformed, cannot be
    read, or Coq failed on it.

    Example: kvfloor check collision.json --cache mycaches:Mine
    """
    if settings and cache is None:
        raise click.UsageError("--set: expected --cache with it")
    factory = None if cache is None else importable(configured(cache, settings), "--cache")
    reports: Iterable[Report] = (_report(file, factory) for file in files)
    worst = 0
    for report in _verified(reports) if verified else reports:
        if not quiet or report.status != "ok":
            line = ": ".join([report.file, report.status, *report.notes])
            click.echo(printable(line), err=report.status in (UNREADABLE, FAILED))
        worst = max(worst, STATUS_CODES[report.status])
    return worst


def _report(file: str, factory: Factory | None) -> Report:
    from kvfloor.certificates import MOST_CHARACTERS
    from kvfloor.certificates import check as check_text

    try:
        with open(file, "rb") as stream:
            text = stream.read(MOST_CHARACTERS + 1)
    except OSError as error:
        return Report(file, UNREADABLE, (str(error.strerror),))
    outcome = check_text(text, cache=factory)
    if outcome.status != "ok":
        return Report(file, outcome.status, (outcome.reason,))
    return Report(file, "ok", tuple(f"unchecked: {u}" for u in outcome.unchecked), text)


def _verified(reports: Iterable[Report]) -> Iterator[Report]:
    """The same, with what Coq's kernel accepted a theorem of; or why it did not, file by file."""
    from kvfloor.certificates import parse
    from kvfloor_proofs.kernel import certified, sources

    found = list(reports)
    documents = [parse(report.text) for report in found if report.status == "ok"]
    proofs = iter(certified(documents, sources()) if documents else ())
    for report in found:
        if report.status != "ok":
            yield report
            continue
        proof = next(proofs)
        if proof.proved:
            yield replace(report, notes=(f"proved in Coq: {proof.said}", *report.notes))
        else:
            status = FAILED if proof.proved is None else UNPROVED
            yield replace(report, status=status, notes=(proof.said,))

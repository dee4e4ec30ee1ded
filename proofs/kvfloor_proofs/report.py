"""How results are shown: a live table on a terminal, plain lines elsewhere, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from kvfloor_proofs.claim import Claim
from kvfloor_proofs.verify import ClaimResult

__all__ = ["show", "to_json"]

COLUMNS = ("claim", "statement", "source", "steps", "instances", "certificates", "verdict", "s")


def show(
    claims: Sequence[Claim], results: Iterable[ClaimResult], console: Console
) -> list[ClaimResult]:
    """Show results while they come, and return them in the order of ``claims``."""
    done: dict[str, ClaimResult] = {}
    if console.is_terminal:
        with Live(_table(claims, done), console=console, refresh_per_second=8) as live:
            for result in results:
                done[result.slug] = result
                live.update(_table(claims, done))
    else:
        for result in results:
            done[result.slug] = result
            console.print(_line(result), markup=False, highlight=False, soft_wrap=True)
    ordered = [done[claim.slug] for claim in claims]
    for result in ordered:
        for kind, error in _errors(result):
            console.print(f"{result.slug}: {kind}: {error}", markup=False, soft_wrap=True)
    return ordered


def to_json(results: Sequence[ClaimResult]) -> str:
    """Return results as the JSON text that `kvfloor verify --json` writes."""
    document = {
        "ok": all(result.ok for result in results),
        "claims": [_object(result) for result in results],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _object(result: ClaimResult) -> dict[str, Any]:
    derivation: dict[str, Any] = {"ok": not result.derivation_error, "steps": result.steps}
    prop: dict[str, Any] = {"ok": not result.property_error, "examples": result.examples}
    if result.derivation_error:
        derivation["error"] = result.derivation_error
    if result.property_error:
        prop["error"] = result.property_error
    return {
        "slug": result.slug,
        "title": result.title,
        "source": result.source,
        "verdict": result.verdict,
        "derivation": derivation,
        "property": prop,
        "certificates": {"ok": not result.property_error, "checked": result.certificates},
        "seconds": round(result.seconds, 3),
    }


def _errors(result: ClaimResult) -> list[tuple[str, str]]:
    pairs = (("derivation", result.derivation_error), ("property", result.property_error))
    return [(kind, error) for kind, error in pairs if error]


def _cells(result: ClaimResult) -> tuple[str, ...]:
    counts = (result.steps, result.examples, result.certificates)
    return (*map(str, counts), result.verdict, f"{result.seconds:.1f}")


def _line(result: ClaimResult) -> str:
    steps, examples, certificates, verdict, seconds = _cells(result)
    return (
        f"{result.slug}: {verdict} - {result.title} [{result.source}] - {steps} steps, "
        f"{examples} instances, {certificates} certificates, {seconds} s"
    )


def _table(claims: Sequence[Claim], done: dict[str, ClaimResult]) -> Table:
    table = Table(*COLUMNS, title=f"{len(done)} of {len(claims)} claims")
    for claim in claims:
        result = done.get(claim.slug)
        cells = _cells(result) if result else ("", "", "", "running", "")
        style = None if result is None else "green" if result.ok else "bold red"
        table.add_row(claim.slug, claim.title, claim.source, *cells, style=style)
    return table

"""How audits are shown: progress, a table, and under it what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from kvfloor import Audit, Row
from kvfloor.audit import SERVES

__all__ = ["followed", "show_audit", "show_rows"]

WIDTH = 160  # where no terminal says how wide it is
COLUMNS = (
    "cache", "m", "n", "d", "bits", "floor", "reco-\nvered", "worst\nerror", "verdict", "s",
)  # fmt: skip


def show_audit(audit: Audit, console: Console, *, quiet: bool = False) -> None:
    """Show one audit and its findings; with ``quiet`` only those."""
    show_rows([Row({}, audit.to_json(), audit.recovered, audit.worst_error)], console, quiet=quiet)
    for line in () if quiet else _rests_on(audit):
        console.print(Text(f"{audit.cache}: {line}"), soft_wrap=True)


def _rests_on(audit: Audit) -> Iterable[str]:
    """What the verdict rests on."""
    if audit.serves:
        known = SERVES.get(audit.serves)
        yield (
            f"it is made for {known}, and was tried on that alone"
            if known
            else f"it says that it is made for {audit.serves!r}; it was tried on everything"
        )
    if audit.accuracy:
        families = (f"{name} {stood}/{asked}" for name, (stood, asked) in audit.tried.items())
        yield f"answers within the guarantee: {', '.join(families)}"
    if audit.failed:
        yield f"entries that it failed: {', '.join(audit.failed)}"
    for entry in audit.accuracy:
        if entry.refused:
            share = "could not all be run" if entry.asked else "could not be run"
            yield f"{entry.name} {share}: {entry.refused}"
    if audit.rate is not None and audit.success is not None:
        low, high = (float(end) for end in audit.success)
        yield f"over its coins an answer is accurate with probability {low:.3f}-{high:.3f}"
        yield f"it failed with {audit.rate.failures} of {audit.rate.tosses} coins"
    if audit.scope:
        yield audit.scope


def show_rows(rows: Sequence[Row], console: Console, *, quiet: bool = False) -> None:
    """Show audits, a row for each, and their findings; with ``quiet`` only those."""
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(box=SIMPLE_HEAD, padding=0)  # 80 columns have to do
    for name in COLUMNS:
        table.add_column(name, overflow="fold", no_wrap=name != "cache")
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    if not quiet:
        console.print(table)
    for line in _findings(rows):
        console.print(Text(line), soft_wrap=True)


def followed(rows: Iterable[Row], total: int, console: Console) -> list[Row]:
    """Return all rows; while they come, a terminal shows how many, and the time left."""
    if not console.is_terminal:
        return list(rows)
    columns = (TextColumn("audits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        return list(progress.track(rows, total=total))


def _cells(row: Row) -> Iterable[str]:
    audit = row.audit
    bits = "-" if audit["bits"] is None else str(audit["bits"])
    mark = " <" if audit["under_floor"] else ""
    shape = (str(audit[name]) for name in ("order", "n", "d"))
    numbers = (_short(row.recovered, "%"), _short(row.worst_error, ""))
    seconds = f"{audit['seconds']:.1f}"
    floor, verdict = str(audit["floor_bits"]), audit["verdict"]
    return (audit["cache"], *shape, bits + mark, floor, *numbers, verdict, seconds)


def _short(number: Fraction | None, unit: str) -> str:
    if number is None:
        return "-"
    return f"{float(100 * number):.1f} %" if unit else f"{float(number):.1e}"


def _findings(rows: Sequence[Row]) -> Iterable[str]:
    for row in rows:
        for finding in row.audit["findings"]:
            cache, n, d = (row.audit[name] for name in ("cache", "n", "d"))
            yield f"{cache}, n={n}, d={d}: {finding['kind']}: {finding['reason']}"

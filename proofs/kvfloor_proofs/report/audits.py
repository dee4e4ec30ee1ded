"""How audits are shown: progress, a table, and under it what was found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fractions import Fraction

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kvfloor import Audit, Row
from kvfloor.audit import SERVES
from kvfloor_proofs.report.lines import WIDTH, write_line

__all__ = ["show_audit", "show_rows"]

COLUMNS = (
    "cache", "m", "n", "d", "bits", "floor", "reco-\nvered", "worst\nerror", "verdict", "s",
)  # fmt: skip


def show_audit(
    audit: Audit, console: Console, *, quiet: bool = False, verbose: bool = False
) -> None:
    """Show one audit and its findings; with ``quiet`` only those."""
    row = Row({}, audit.to_json(), audit.recovered, audit.worst_error)
    show_rows([row], console, quiet=quiet, verbose=verbose)
    for line in () if quiet else _rests_on(audit):
        write_line(console, f"{audit.cache}: {line}")


def _rests_on(audit: Audit) -> Iterable[str]:
    """What the verdict says, and what it rests on."""
    yield f"{audit.verdict}: {audit.meaning}"
    yield (
        f"its floor is that of {audit.floor.claim}: {audit.floor.symbols} symbols of "
        f"{audit.floor.levels} levels"
    )
    if audit.under_floor and not audit.findings:
        yield (
            "states were under it on all that was tried: on other inputs they are larger, or "
            "answers wrong"
        )
    if audit.serves:
        known = SERVES.get(audit.serves)
        yield (
            f"it is made for {known}, and was tried on that alone"
            if known
            else f"it says that it is made for {audit.serves!r}; it was tried on everything"
        )
    if audit.beyond is not None:
        yield (
            f"from token {audit.beyond} on its state grows otherwise: what it does then was not "
            f"tried with n = {audit.n}"
        )
    if audit.accuracy:
        families = (f"{name} {stood}/{asked}" for name, (stood, asked) in audit.tried.items())
        yield f"answers within the guarantee: {', '.join(families)}"
    if audit.failed:
        yield f"entries that it failed: {', '.join(audit.failed)}"
    yield from _refusals(audit)
    if audit.rate is not None and audit.success is not None:
        low, high = (float(end) for end in audit.success)
        yield f"over its coins an answer is accurate with probability {low:.3f}-{high:.3f}"
        yield f"it failed with {audit.rate.failures} of {audit.rate.tosses} coins"
    if audit.scope:
        yield audit.scope


def _refusals(audit: Audit) -> Iterable[str]:
    """What the cache would not take, and why."""
    if audit.unheard:
        yield f"it refused all of {', '.join(audit.unheard)}, and does not say what it is made for"
    refused = dict[str, list[str]]()
    for entry in audit.accuracy:
        if entry.refused:
            share = " in part" if entry.asked else ""
            refused.setdefault(entry.refused, []).append(f"{entry.name}{share}")
    for reason, names in refused.items():
        yield f"could not be run: {', '.join(names)}: {reason}"


def show_rows(
    rows: Sequence[Row], console: Console, *, quiet: bool = False, verbose: bool = False
) -> None:
    """Show audits, a row for each, and their findings; with ``quiet`` only those.

    With ``verbose`` the tracebacks of errors too. Without a terminal the table is as wide as it
    needs, unless COLUMNS says how wide that is.
    """
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH
    if not quiet:
        _show_table(rows, console)
    for line in _findings(rows):
        write_line(console, line)
    for trace in [row.audit["traceback"] for row in rows if "traceback" in row.audit]:
        if verbose:
            write_line(console, trace)


def _show_table(rows: Sequence[Row], console: Console) -> None:
    """Show one table; if the terminal is too narrow, one for each cache under its name."""
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    needed = console.measure(table, options=console.options.update(width=WIDTH)).maximum
    if needed <= console.width:
        console.print(table)
        return
    for cache in dict.fromkeys(row.audit["cache"] for row in rows):
        write_line(console, cache)
        table = Table(*COLUMNS[1:], box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for row in rows:
            if row.audit["cache"] == cache:
                table.add_row(*map(Text, _cells(row)[1:]))
        console.print(table)


def _cells(row: Row) -> tuple[str, ...]:
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

"""How results are shown: a live table on a terminal, plain lines elsewhere, JSON for programs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from kvfloor_proofs.report.lines import write_line

if TYPE_CHECKING:  # with them comes SymPy, which other commands do not wait for
    from kvfloor_proofs.foundations.claim import Claim
    from kvfloor_proofs.kernel import Audit, Theorem
    from kvfloor_proofs.verify import ClaimResult

__all__ = ["show", "show_fast_path", "to_json"]

TABLE_WIDTH = 120  # on a narrower terminal the statements would be cut to pieces
COLUMNS = ("claim", "statement", "source", "steps", "instances", "certificates", "verdict", "s")
THEOREM = "theorem (axioms beyond the standard reals)"


def show(
    claims: Sequence[Claim],
    results: Iterable[ClaimResult],
    console: Console,
    *,
    kernel: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> list[ClaimResult]:
    """Show results while they come, and return them in the order of ``claims``.

    With ``kernel`` there is a column for the theorems that Coq's kernel accepted; with ``quiet``
    only what went wrong is shown; with ``verbose`` the tracebacks of errors too, and the functions
    that users call, with what ties each to its claim.
    """
    done: dict[str, ClaimResult] = {}
    if quiet:
        done = {result.slug: result for result in results}
    elif console.is_terminal and console.width >= TABLE_WIDTH:
        started = monotonic()
        with Live(_table(claims, done, kernel), console=console, refresh_per_second=8) as live:
            for result in results:
                done[result.slug] = result
                live.update(_table(claims, done, kernel, monotonic() - started), refresh=True)
    else:
        started, waiting = monotonic(), deque(claims)
        with console.status(_progress(0, len(claims), 0)) as status:  # on a terminal alone
            for result in results:
                done[result.slug] = result
                while waiting and waiting[0].slug in done:
                    write_line(console, _line(done[waiting.popleft().slug], kernel))
                status.update(_progress(len(done), len(claims), monotonic() - started))
    ordered = [done[claim.slug] for claim in claims]
    _add(ordered, console, verbose=verbose)
    if len(ordered) > 1 and not quiet:
        write_line(console, f"{sum(r.ok for r in ordered)} of {len(ordered)} verdicts established")
    return ordered


def _add(results: Sequence[ClaimResult], console: Console, *, verbose: bool) -> None:
    """Say what went wrong, and of what users call what is verbose."""
    for result in results:
        for line in _constants(result) if verbose else ():
            write_line(console, line)
        for kind, reason in result.reasons:
            write_line(console, f"{result.slug}: {kind}: {reason}")
        for error in result.errors if verbose else ():
            write_line(console, error.traceback)


def show_fast_path(audited: Audit, console: Console) -> None:
    """Show in a line what Coq's kernel accepted of the fast path, which is no claim."""
    write_line(console, f"fast path: {THEOREM}: {_theorem(audited.fast_path)}")


def to_json(
    claims: Sequence[Claim], results: Sequence[ClaimResult], audited: Audit | None = None
) -> str:
    """Return results as the JSON text that `kvfloor verify --json` writes.

    With ``audited``, what Coq's kernel accepted: the statements, and the definitions in them.
    """
    document: dict[str, Any] = {
        "ok": all(result.ok for result in results),
        "claims": [_object(result) for result in results],
    }
    if audited is not None:
        for part, claim, result in zip(document["claims"], claims, results, strict=True):
            part["kernel"] = _kernel(claim, result)
        document["fast_path"] = {"theorems": _theorems(audited.fast_path)}
        document["definitions"] = audited.definitions
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _object(result: ClaimResult) -> dict[str, Any]:
    unknown = {error.part for error in result.errors}
    refused = {"derivation": result.derivation_error, "property": result.property_error}
    ok = {part: None if part in unknown else not why for part, why in refused.items()}
    derivation: dict[str, Any] = {"ok": ok["derivation"], "steps": result.steps}
    prop: dict[str, Any] = {"ok": ok["property"], "examples": result.examples}
    if result.derivation_error:
        derivation["error"] = result.derivation_error
    if result.property_error:
        prop["error"] = result.property_error
    errors = {"errors": [error._asdict() for error in result.errors]} if result.errors else {}
    constants: dict[str, Any] = {"ok": not result.constant_error, "held": _held(result)}
    if result.constant_error:
        constants["error"] = result.constant_error
    return {
        "slug": result.slug,
        "title": result.title,
        "source": result.source,
        "verdict": result.verdict,
        "derivation": derivation,
        "property": prop,
        "constants": constants,
        "certificates": {"ok": ok["property"], "checked": result.certificates},
        "seconds": round(result.seconds, 3),
    } | errors


def _held(result: ClaimResult) -> list[dict[str, Any]]:
    return [
        {
            "function": held.name,
            "ties": [{"by": kind, "to": said} for kind, said in held.ties],
            **({"slack": held.slack} if held.slack else {}),
        }
        for held in result.constants
    ]


def _constants(result: ClaimResult) -> Iterator[str]:
    for held in result.constants:
        for kind, said in held.ties:
            yield f"{result.slug}: {held.name}: {kind}: {said}"
        if held.slack:
            yield f"{result.slug}: {held.name}: not tight: {held.slack}"


def _theorems(theorems: Iterable[Theorem]) -> list[dict[str, Any]]:
    return [{"name": t.name, "statement": t.statement, "axioms": list(t.axioms)} for t in theorems]


def _kernel(claim: Claim, result: ClaimResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ok": not result.kernel_error,
        "theorems": _theorems(result.theorems),
    }
    if result.kernel_error:
        found["error"] = result.kernel_error
    if claim.no_theorem:
        found["no_theorem"] = claim.no_theorem
    if claim.not_in_kernel:
        found["not_in_kernel"] = claim.not_in_kernel
    return found


def _cells(result: ClaimResult) -> tuple[str, ...]:
    counts = (result.steps, result.examples, result.certificates)
    return (*map(str, counts), result.verdict, f"{result.seconds:.1f}")


def _theorem(theorems: Sequence[Theorem]) -> str:
    """The first theorem, how many more there are, and the axioms of all of them."""
    if not theorems:
        return "none"
    first, *more = theorems
    axioms = sorted({axiom for theorem in theorems for axiom in theorem.axioms})
    return f"{first.name}{f' +{len(more)}' if more else ''} ({', '.join(axioms) or 'none'})"


def _line(result: ClaimResult, kernel: bool) -> str:
    steps, examples, certificates, verdict, seconds = _cells(result)
    theorem = f"{THEOREM}: {_theorem(result.theorems)}, " if kernel else ""
    return (
        f"{result.slug}: {verdict} - {result.title} [{result.source}] - {steps} steps, "
        f"{examples} instances, {certificates} certificates, {theorem}{seconds} s"
    )


def _table(
    claims: Sequence[Claim], done: dict[str, ClaimResult], kernel: bool, seconds: float = 0
) -> Table:
    table = Table(*COLUMNS, title=_progress(len(done), len(claims), seconds))
    if kernel:
        table.add_column(THEOREM)
    for claim in claims:
        result = done.get(claim.slug)
        cells = _cells(result) if result else ("", "", "", "running", "")
        if kernel:
            cells = (*cells, _theorem(result.theorems) if result else "")
        style = None if result is None else _style(result)
        table.add_row(claim.slug, claim.title, claim.source, *cells, style=style)
    return table


def _style(result: ClaimResult) -> str:
    return "green" if result.ok else "bold red" if result.refused else "bold yellow"


def _progress(done: int, total: int, seconds: float) -> str:
    """How many claims are done, and how long the others would take at that pace."""
    left = f", about {seconds / done * (total - done):.0f} s left" if 0 < done < total else ""
    return f"{done} of {total} claims{left}"

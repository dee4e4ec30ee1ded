"""What a run found: as text, and as JSON that stays the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

from kvfloor.conformance.power import Power, least_power
from kvfloor.conformance.size import Size

__all__ = ["Failure", "NotRun", "Repeated", "Report"]

AXES = ("batch", "heads", "queries", "tokens", "d", "d_v")
OF_MERGES = {"batch": "rows", "heads": "heads", "tokens": "parts", "d_v": "d_v"}
MOST_SHOWN = 16  # numbers of a row of the table


class Failure(NamedTuple):
    """One entry of the catalogue that the target fails.

    Attributes
    ----------
    flag : str
    message : str
        The worst element, and the stage that it was spoilt in.
    reproducer : str
        The text of a test that fails.
    """

    flag: str
    message: str
    reproducer: str


class NotRun(NamedTuple):
    """One entry of the catalogue that was not run.

    Attributes
    ----------
    flag : str
    reason : str
        Why: what the target declares, or its domain excludes.
    """

    flag: str
    reason: str


class Repeated(NamedTuple):
    """How far calls agreed that compute the same rows.

    Attributes
    ----------
    flag : str
        One of `kvfloor.conformance.declarations.BITWISE`, or its entry for merges.
    declared : bool
        Whether they are declared to agree bit for bit.
    found : "bitwise", "within the bound", "without a bound" or "fails"
        "without a bound" if no number has one; "fails" if a number is wrong, or a call.
    """

    flag: str
    declared: bool
    found: str

    def __str__(self) -> str:
        if self.found == "fails":
            return f"{self.flag}: fails, as said above"
        said = ", as declared" if self.found == "bitwise" else ", where bitwise is declared"
        return f"{self.flag}: {self.found}{said if self.declared else ''}"


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes
    ----------
    cases, elements : int
        Calls that were judged, and numbers compared.
    unbounded : int
        Of these, numbers for which the declaration leaves no bound.
    worst_ulps, worst_ratio : float
        The largest error in ulps; the largest over its bound: what is left to 1 is room.
    worst_flag : str
        The entry with the largest error over its bound.
    failures : tuple of Failure
    not_run : tuple of NotRun
    sizes : frozenset of Size
        Those of all calls.
    seconds : float
    merges : bool
        Whether partial states were merged: then tokens are parts, and batches rows.
    repeated : tuple of Repeated
    powers : mapping of str to Power
        For each entry the smallest faults that its cases at full size show, if asked for.
    stored : str or None
        The format of the inputs, if all that failed is within the bounds for weights stored in it.
    """

    cases: int
    elements: int
    unbounded: int
    worst_ulps: float
    worst_ratio: float
    worst_flag: str
    failures: tuple[Failure, ...]
    not_run: tuple[NotRun, ...]
    sizes: frozenset[Size]
    seconds: float
    merges: bool = False
    repeated: tuple[Repeated, ...] = ()
    powers: Mapping[str, Power] = field(default_factory=dict)
    stored: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and something could have.

        Some number had a bound, and some case more than one tuple.
        """
        return not self.failures and self.unbounded < self.elements and self.weighed

    @property
    def answered(self) -> bool:
        """Whether the target answered at all: one that never does was not examined."""
        return self.elements > 0 or not self.failures

    @property
    def weighed(self) -> bool:
        """Whether any case had more than one tuple: else there is no softmax."""
        return any(size.tuples > 1 for size in self.sizes)

    @property
    def visited(self) -> dict[str, list[Any]]:
        """What was visited: for each axis the numbers, in order; heads as those of q over K."""
        found: dict[str, list[Any]] = {}
        for axis in AXES:
            if axis == "tokens":
                values: set[Any] = {n for size in self.sizes for n in size.lengths}
            elif axis == "heads":
                values = {(size.heads, size.kv_heads) for size in self.sizes}
            else:
                values = {getattr(size, axis) for size in self.sizes}
            found[axis] = sorted(values)
        if self.merges:
            found["heads"] = [h for h, _ in found["heads"]]
            return {name: found[axis] for axis, name in OF_MERGES.items()}
        found["heads"] = [f"{h}/{h_kv}" for h, h_kv in found["heads"]]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return what `to_json` writes; a number that is not finite is None."""
        return {
            "ok": self.ok,
            "answered": self.answered,
            "cases": self.cases,
            "elements": self.elements,
            "worst": {
                "ulps": _finite(self.worst_ulps),
                "bound_ratio": _finite(self.worst_ratio),
                "flag": self.worst_flag,
            },
            "failures": [failure._asdict() for failure in self.failures],
            "not_run": [entry._asdict() for entry in self.not_run],
            "repeated": [each._asdict() for each in self.repeated],
            "visited": self.visited,
            "power": {
                flag: {fault: _finite(x) for fault, x in power._asdict().items()}
                for flag, power in self.powers.items()
            },
            "stored": self.stored,
            "seconds": round(self.seconds, 3),
        }

    def to_json(self) -> str:
        """Return the report as JSON, ending in a newline."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def __str__(self) -> str:
        if not self.answered:
            first = self.failures[0].message
            return f"error: it never answered, in {self.cases} cases; the first: {first}"
        lines = [f"{failure.flag}: {failure.message}" for failure in self.failures]
        verdict = "passes" if self.ok else f"fails {len(self.failures)} entries"
        if not self.ok and not self.failures:
            verdict = "says nothing"
        lines.append(
            f"{verdict}: {self.cases} cases, {self.elements} numbers, worst "
            f"{self.worst_ulps:.3g} ulps and {self.worst_ratio:.3g} of its bound "
            f"({self.worst_flag}), {self.seconds:.1f} s"
        )
        if self.unbounded:
            why = "the arithmetic is too narrow, or may overflow"
            lines.append(f"{self.unbounded} numbers have no bound: {why}")
        if self.stored is not None:
            lines.append(
                f"all that failed is within the bounds for weights stored in {self.stored}: "
                "if yours are, declare that (weights)"
            )
        if self.elements and not self.weighed:
            kind = "part: nothing is merged" if self.merges else "tuple: that is no attention"
            lines.append(f"no case has more than one {kind}")
        if self.failures:
            lines += ["", self.failures[0].reproducer.rstrip("\n"), ""]
        if self.repeated:
            lines.append("the same rows by other calls:")
            lines += [f"  {each}" for each in self.repeated]
        if self.not_run:
            lines.append(f"not run, {len(self.not_run)} entries:")
            reasons: dict[str, list[str]] = {}
            for flag, reason in self.not_run:
                reasons.setdefault(reason, []).append(flag)
            lines += [f"  {reason}: {', '.join(flags)}" for reason, flags in reasons.items()]
        return "\n".join([*lines, *_table(self.visited), *_faults(self.powers)])


def _table(visited: dict[str, list[Any]]) -> list[str]:
    """What was visited, a row for each axis; where there is much of it, both ends."""
    if not visited["d_v"]:
        return ["visited: nothing"]
    rows = []
    for axis, values in visited.items():
        shown = list(map(str, values))
        if len(shown) > MOST_SHOWN:
            half = MOST_SHOWN // 2
            shown = [*shown[:half], "...", *shown[-half:]]
        rows.append(f"  {axis:8}{len(values):5}  {' '.join(shown)}")
    return ["visited:", *rows]


def _faults(powers: Mapping[str, Power]) -> list[str]:
    """The smallest faults that are seen, a row for each entry, and the least of all."""
    if not powers:
        return []
    rows = {**powers, "least": least_power(powers.values())}
    width = max(map(len, rows))
    titles = "".join(f"{fault:>13}" for fault in Power._fields)
    lines = [f"  {flag:{width}}" + "".join(map(_shown, rows[flag])) for flag in rows]
    return ["power, the smallest faults that fail:", f"  {'':{width}}{titles}", *lines]


def _shown(x: float) -> str:
    return f"{x:13.2g}" if isfinite(x) else f"{'-':>13}"


def _finite(x: float) -> float | None:
    return x if isfinite(x) else None

"""What a run found: as text, and as JSON that stays the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

__all__ = ["Failure", "Report"]


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
    seconds : float
    """

    cases: int
    elements: int
    unbounded: int
    worst_ulps: float
    worst_ratio: float
    worst_flag: str
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and some number had a bound to fail by."""
        return not self.failures and self.unbounded < self.elements

    def to_dict(self) -> dict[str, Any]:
        """Return what `to_json` writes; a number that is not finite is None."""
        return {
            "ok": self.ok,
            "cases": self.cases,
            "elements": self.elements,
            "worst": {
                "ulps": _finite(self.worst_ulps),
                "bound_ratio": _finite(self.worst_ratio),
                "flag": self.worst_flag,
            },
            "failures": [failure._asdict() for failure in self.failures],
            "seconds": round(self.seconds, 3),
        }

    def to_json(self) -> str:
        """Return the report as JSON, ending in a newline."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def __str__(self) -> str:
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
            lines.append(f"{self.unbounded} numbers have no bound: the arithmetic is too narrow")
        if self.failures:
            lines += ["", self.failures[0].reproducer.rstrip("\n")]
        return "\n".join(lines)


def _finite(x: float) -> float | None:
    return x if isfinite(x) else None

"""What an audit finds, and how it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from kvfloor.certificates import Document

__all__ = ["Audit", "Finding", "Verdict"]

Verdict = Literal["refuted", "violates", "within-guarantee", "misbehaves", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a cache, or with its audit.

    Attributes
    ----------
    kind : str
        "violation" or "collision", with a certificate; or how it misbehaved: "raised", "died",
        "time-limit", "state", "answer", "not-deterministic", "outside-state". Or "error": the
        audit itself failed, which says nothing of the cache.
    reason : str
        One line.
    certificate : dict or None
        For `kvfloor.check`.
    """

    kind: str
    reason: str
    certificate: Document | None = None


@dataclass(frozen=True)
class Audit:
    """A cache beside its floor.

    Attributes
    ----------
    cache : str
        Its name, with its options if it has any.
    order, n, d : int
        The shape: slots, tokens, dimension of keys and of values.
    bits : int or None
        Of its largest state over the instances tried; None if it gave none.
    floor_bits : int
        What every cache within the guarantee needs.
    verdict : str
        ``refuted``: under the floor and shown wrong; ``violates``: not under the floor, yet outside
        the guarantee; ``within-guarantee``: on all that was tried; ``misbehaves``: it did what no
        cache may do; ``error``: the audit itself failed, and nothing is known.
    findings : tuple of Finding
        Empty if it is within the guarantee.
    recovered : Fraction or None
        Share of the symbols that its answers revealed.
    worst_error : Fraction or None
        The largest distance of an answer from the true output, rounded up by at most 2^-64.
    success : (Fraction, Fraction) or None
        For a cache that uses its public coins or may fail: where the probability of an accurate
        answer lies; to the query that was wrong most often, to a random one if none was. None if
        one wrong answer had settled it.
    seconds : float
    scope : str
        For an adapter: what it counts as state, and what it cannot see.
    traceback : str
        Of an error; else empty.
    """

    cache: str
    order: int
    n: int
    d: int
    bits: int | None
    floor_bits: int
    verdict: Verdict
    findings: tuple[Finding, ...]
    recovered: Fraction | None
    worst_error: Fraction | None
    success: tuple[Fraction, Fraction] | None
    seconds: float
    scope: str = ""
    traceback: str = ""

    @property
    def under_floor(self) -> bool:
        """Whether the state was smaller than the floor."""
        return self.bits is not None and self.bits < self.floor_bits

    def to_json(self) -> dict[str, Any]:
        """Return what ``kvfloor audit --json`` writes, as a JSON object."""
        error = {"traceback": self.traceback} if self.traceback else {}
        return {
            "cache": self.cache,
            "order": self.order,
            "n": self.n,
            "d": self.d,
            "bits": self.bits,
            "floor_bits": self.floor_bits,
            "under_floor": self.under_floor,
            "verdict": self.verdict,
            "findings": [
                {"kind": f.kind, "reason": f.reason, "certificate": f.certificate}
                for f in self.findings
            ],
            "seconds": round(self.seconds, 3),
        } | error

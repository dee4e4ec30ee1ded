"""What an audit finds, and how it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from kvfloor.audit.meanings import VERDICTS
from kvfloor.certificates import Document
from kvfloor.floors import Floor

__all__ = ["Audit", "Examined", "Finding", "Rate", "Verdict"]

Verdict = Literal["refuted", "violates", "undecided", "within-guarantee", "misbehaves", "error"]


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
class Rate:
    """How often a cache failed over its public coins.

    Attributes
    ----------
    failures, tosses : int
        Of one query with fresh coins each time, or of random ones if none ever failed.
    low, high : Fraction
        What the probability of a failure lies between, with the confidence of the audit.
    """

    failures: int
    tosses: int
    low: Fraction
    high: Fraction

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, ends as text."""
        ends = {"low": str(self.low), "high": str(self.high)}
        return {"failures": self.failures, "tosses": self.tosses} | ends


@dataclass(frozen=True)
class Examined:
    """What came of one entry of the catalogue.

    Attributes
    ----------
    name, family : str
    asked, stood : int
        Queries that were answered, and those answered within the guarantee.
    worst : Fraction
        The largest error in units of B, B being the largest product of values of an instance.
    refused : str
        Why it, or part of it, could not be run; else empty.
    """

    name: str
    family: str
    asked: int
    stood: int
    worst: Fraction
    refused: str

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, the error as a float."""
        content = {"name": self.name, "family": self.family, "asked": self.asked}
        return content | {
            "stood": self.stood, "worst": float(self.worst), "refused": self.refused,
        }  # fmt: skip


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
        Of its largest state over all that was tried; None if it gave none.
    floor : Floor
        What every cache within the guarantee needs, and the claim that it comes from: the largest
        floor, or that of zeros and ones for a cache that was tried on them alone.
    verdict : str
        ``refuted``: under the floor and shown wrong; ``violates``: not under the floor, yet outside
        the guarantee; ``undecided``: its failure rate could not be told from δ, or its states
        were under the floor, and nothing was found wrong; or it refused a whole family;
        ``within-guarantee``: on all that was tried; ``misbehaves``: it did what no cache may do;
        ``error``: the audit itself failed, and nothing is known.
    findings : tuple of Finding
        Empty if it is within the guarantee.
    recovered : Fraction or None
        Share of the symbols that its answers revealed.
    worst_error : Fraction or None
        The largest distance of an answer from the true output over all that was tried, in units of
        B, rounded up by at most 2^-63.
    success : (Fraction, Fraction) or None
        For a cache that uses its public coins or may fail: where the probability of an accurate
        answer lies; to the query that was wrong most often, to a random one if none was. None if
        one wrong answer had settled it.
    seconds : float
    scope : str
        For an adapter: what it counts as state, and what it cannot see.
    traceback : str
        Of an error; else empty.
    serves : str
        The only inputs that it declares to be made for, and so was tried on; empty for all.
    beyond : int or None
        A length past n from which its state grows otherwise, so that what it does then was not
        tried: found where an option names a size past n.
    rate : Rate or None
        With δ > 0, or if the coins make a difference: how often it failed.
    accuracy : tuple of Examined
        The entries of the catalogue; empty if it did not come to that.
    unheard : tuple of str
        Families of the catalogue all of which it refused, though it says of no inputs alone that it
        is made for them.
    """

    cache: str
    order: int
    n: int
    d: int
    bits: int | None
    floor: Floor
    verdict: Verdict
    findings: tuple[Finding, ...]
    recovered: Fraction | None
    worst_error: Fraction | None
    success: tuple[Fraction, Fraction] | None
    seconds: float
    scope: str = ""
    traceback: str = ""
    serves: str = ""
    beyond: int | None = None
    rate: Rate | None = None
    accuracy: tuple[Examined, ...] = ()
    unheard: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What the verdict says, and what it does not."""
        return VERDICTS[self.verdict]

    @property
    def failed(self) -> tuple[str, ...]:
        """The entries with an answer outside the guarantee."""
        return tuple(entry.name for entry in self.accuracy if entry.stood < entry.asked)

    @property
    def tried(self) -> dict[str, tuple[int, int]]:
        """For every family of the catalogue, how many answers stood, of how many."""
        found = dict[str, tuple[int, int]]()
        for entry in self.accuracy:
            stood, asked = found.get(entry.family, (0, 0))
            found[entry.family] = stood + entry.stood, asked + entry.asked
        return found

    @property
    def under_floor(self) -> bool:
        """Whether the state was smaller than the floor."""
        return self.bits is not None and self.bits < self.floor.bits

    def to_json(self) -> dict[str, Any]:
        """Return what ``kvfloor audit --json`` writes, as a JSON object."""
        error = {"traceback": self.traceback} if self.traceback else {}
        return {
            "cache": self.cache,
            "order": self.order,
            "n": self.n,
            "d": self.d,
            "bits": self.bits,
            "floor": self.floor.claim,
            "floor_bits": self.floor.bits,
            "under_floor": self.under_floor,
            "verdict": self.verdict,
            "meaning": self.meaning,
            "findings": [
                {"kind": f.kind, "reason": f.reason, "certificate": f.certificate}
                for f in self.findings
            ],
            "serves": self.serves,
            "beyond": self.beyond,
            "rate": None if self.rate is None else self.rate.to_json(),
            "accuracy": [entry.to_json() for entry in self.accuracy],
            "seconds": round(self.seconds, 3),
        } | error

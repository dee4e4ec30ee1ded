"""What an audit inside a model finds, and what its verdict means."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from kvfloor.adapters.model_instance import Sizes
from kvfloor.audit import VERDICTS, Finding
from kvfloor.floors import Guarantee

__all__ = ["ModelAudit"]

NOT_SERVED = "it could not be run in this model, and nothing is known of it"


@dataclass(frozen=True)
class ModelAudit:
    """A compressor inside a model, beside the floor of all its layers and heads.

    Attributes
    ----------
    compressor : str
    sizes : Sizes
    guarantee : Guarantee
        (η, α) that was asked for.
    arithmetic : Fraction
        A bound on what the model's own arithmetic changes of an answer; answers are held to
        α and this much more, of which the floor is the same.
    verdict, meaning : str
        In the words of `Audit`, or ``not-served`` if taking the tokens raised; and what it says,
        and does not.
    findings : tuple of Finding
        A violation has the certificate of one head's answer, unless that is too large.
    floor_bits : int
        What every cache within the guarantee needs (H1 `heads-and-layers`).
    held : dict
        What the cache holds, as `Held.to_json` writes it; empty if it did not come to that.
    outside : dict of str to int
        Bits that modules and the press came to hold while tokens were taken, by name.
    lengths : tuple of int
        Tokens that each layer says that it has.
    asked, wrong : int
        Bits that were asked for, and those that answers did not reveal.
    failed : int
        Numbers of answers that are outside the guarantee, of ``asked``.
    losses : dict of str to int
        What answers outside the guarantee look like, and how many: kinds of `LOSSES`, a guess.
    worst_error : float or None
        The largest distance of an answer from the true output.
    retrieved : Fraction or None
        Certified bits that came back, if all addresses were asked for.
    versions : dict
        Of the packages.
    seconds : float
    """

    compressor: str
    sizes: Sizes
    guarantee: Guarantee
    arithmetic: Fraction
    verdict: str
    findings: tuple[Finding, ...]
    floor_bits: int
    held: dict[str, Any] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    asked: int = 0
    wrong: int = 0
    failed: int = 0
    losses: dict[str, int] = field(default_factory=dict)
    worst_error: float | None = None
    retrieved: Fraction | None = None
    versions: dict[str, str] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)

    @property
    def bits(self) -> int | None:
        """Bits that the cache holds."""
        return self.held.get("bits")

    @property
    def meaning(self) -> str:
        """What the verdict says, and does not."""
        return NOT_SERVED if self.verdict == "not-served" else VERDICTS[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, exact numbers as text."""
        return {
            "compressor": self.compressor,
            **self.sizes.__dict__,
            "eta": str(self.guarantee.eta),
            "alpha": str(self.guarantee.alpha),
            "arithmetic": float(self.arithmetic),
            "verdict": self.verdict,
            "meaning": self.meaning,
            "findings": [asdict(finding) for finding in self.findings],
            "floor_bits": self.floor_bits,
            "held": self.held,
            "outside": self.outside,
            "lengths": list(self.lengths),
            "asked": self.asked,
            "wrong": self.wrong,
            "failed": self.failed,
            "losses": self.losses,
            "worst_error": self.worst_error,
            "retrieved": None if self.retrieved is None else str(self.retrieved),
            "versions": self.versions,
            "seconds": round(self.seconds, 3),
        }

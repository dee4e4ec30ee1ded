"""E6 `exponentials-independent`: what compares outputs whose logits are multiples of two roots."""

from __future__ import annotations

from flint import fmpq
from hypothesis import strategies as st

from kvfloor.attention import ExactNumber, equal
from kvfloor.numbers import to_fmpq
from kvfloor_proofs.foundations.constants import Constant, both_sides
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return (
        Constant(equal, (both_sides("two roots, equal by a shift or unlike", property_roots),)),
    )


def _number(data: st.DataObject, root: int) -> ExactNumber:
    number = st.fractions(-2, 2, max_denominator=3)
    logits = data.draw(st.lists(number, min_size=1, max_size=3, unique=True), label="logits")
    counts = [data.draw(st.integers(1, 3), label="count") for _ in logits]
    sums = [data.draw(st.integers(-2, 2), label="sum") for _ in logits]
    return ExactNumber(
        tuple(map(to_fmpq, logits)), root, tuple(counts), tuple(fmpq(a) for a in sums)
    )


def property_roots(data: st.DataObject, tally: Tally) -> None:
    """Numbers over two roots are equal exactly where 400 bits do not part them."""
    del tally
    root, other = (data.draw(st.integers(1, 8), label=name) for name in ("root", "other root"))
    x, y = _number(data, root), _number(data, other)
    if data.draw(st.booleans(), label="equal"):  # e^(s·2√r + t·√r') is the same over 4r as over r
        logits = tuple(s / 2 + 1 for s in x.logits)
        y = ExactNumber(logits, 4 * root, x.counts, x.sums)
        require(equal(x, y), "a shift of all logits, over four times the root, differs")
    require(equal(x, y) == x.enclose(400).overlaps(y.enclose(400)), "400 bits say otherwise")

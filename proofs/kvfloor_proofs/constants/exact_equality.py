"""E1 `exact-equality`: what decides equality, order, and on which side of a rational."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from kvfloor.attention import ExactOutput, compare, equal, is_exactly
from kvfloor.numbers import ball_ends
from kvfloor_proofs.claims.exact_equality import (
    attention_of,
    property_equality,
    property_rational_or_not,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    decided = both_sides("so exactly when 400 bits do not part them", property_equality)
    rational = both_sides("itself, and not 2^-300 beside it", property_rational_or_not)
    return (
        Constant(equal, (decided,)),
        Constant(compare, (decided,)),
        Constant(is_exactly, (rational,)),
        Constant(
            ExactOutput,
            (rational, both_sides("neighbours on a grid, sides of rationals", property_bounds)),
        ),
    )


def property_bounds(data: st.DataObject, tally: Tally) -> None:
    """Bounds are the neighbours on a grid; a log-sum-exp is on the side of what 400 bits say."""
    del tally
    output = attention_of(data)
    bits = data.draw(st.integers(0, 300), label="bits of the grid")
    low, high = output.bounds(0, bits)
    below, above = ball_ends(output.enclose(1000)[0])
    unit, rational = Fraction(1, 2**bits), output.rational(0)
    require(low % unit == 0 == high % unit, "not on the grid")
    if rational is not None and rational % unit == 0:
        require(low == high == rational, "not the point of the grid that it is")
    else:
        require(high == low + unit, "not neighbours")
        require(low <= below and above <= high, "not between them")
    below, above = ball_ends(output.logsumexp(1000))
    for side in (-1, 1):
        beside = (below if side < 0 else above) + side * Fraction(1, 2**400)
        require(output.logsumexp_exceeds(beside) == (side < 0), "the wrong side")

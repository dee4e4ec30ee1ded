"""E1 `exact-equality`: what decides equality, order, and on which side of a rational."""

from __future__ import annotations

from fractions import Fraction

from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, ExactOutput, compare, equal, is_exactly
from kvfloor.numbers import arb_precision, ball_ends
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
    near = both_sides("in order where only 128 bits and more part them", property_near)
    return (
        Constant(equal, (decided,)),
        Constant(compare, (decided, near)),
        Constant(is_exactly, (rational,)),
        Constant(
            ExactOutput,
            (
                rational,
                both_sides("neighbours on a grid, sides of rationals", property_bounds),
                both_sides("the logit of a single tuple, else irrational", property_logsumexp),
                both_sides("in base 2 that of a power of two of ones", property_base_2),
            ),
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
    require(len(output) == len(output.sums[0]), "another number of columns")
    if rational is None:
        for beside, under in ((below - unit, True), (above + unit, False)):
            require(output.exceeds(0, beside) == under, "an output on the wrong side")
    if rational is not None and rational % unit == 0:
        require(low == high == rational, "not the point of the grid that it is")
    else:
        require(high == low + unit, "not neighbours")
        require(low <= below and above <= high, "not between them")
    below, above = ball_ends(output.logsumexp(1000))
    for side in (-1, 1):
        beside = (below if side < 0 else above) + side * Fraction(1, 2**400)
        require(output.logsumexp_exceeds(beside) == (side < 0), "the wrong side")


def property_near(data: st.DataObject, tally: Tally) -> None:
    """Weights of e^-k, k >= 50, move an output from 1 by less than 64 bits can tell."""
    del tally
    k, more = data.draw(st.integers(50, 200), label="k"), data.draw(st.integers(1, 9), label="more")
    first, second = (ExactAttention([[[0], [-gap]]], [[[1], [0]]])([1])[0] for gap in (k, k + more))
    require(compare(first, second) == -1 == -compare(second, first), "not in order")
    require(not equal(first, second), "equal")


def property_logsumexp(data: st.DataObject, tally: Tally) -> None:
    """The log-sum-exp of a single tuple is its logit; that of two is irrational."""
    del tally
    x = data.draw(st.fractions(-9, 9, max_denominator=9), label="logit")
    alone, two = (ExactAttention([[[x]] * n], [[[1]] * n])([1]) for n in (1, 2))
    require(alone.rational_logsumexp() == x, "not the logit")
    require(two.rational_logsumexp() is None, "rational with two tuples")


def property_base_2(data: st.DataObject, tally: Tally) -> None:
    """In base 2: rational for 2^k logits of zero alone; else on the side of what balls say."""
    del tally
    count = data.draw(st.sampled_from((1, 2, 3, 4, 7, 8)), label="zeros")
    far = data.draw(st.sampled_from((None, -1, -(10**9))), label="another logit")
    logits = [[[0]] * count + ([] if far is None else [[far]])]
    output = ExactAttention(logits, [[[1]] * len(logits[0])])([1])
    whole = count.bit_length() - 1
    if far is None and count == 1 << whole:
        require(output.rational_log2() == whole, "another number of tuples")
        return
    require(output.rational_log2() is None, "rational though it is not")
    require(output.log2_exceeds(Fraction(whole)), "not above the power of two below")
    require(not output.log2_exceeds(Fraction(whole + 1)), "above the next power of two")
    with arb_precision(400):
        low, high = ball_ends(output.logsumexp(400) / arb(2).log())
    if far != -(10**9):
        require(output.log2_exceeds(low - Fraction(1, 2**300)), "not above what is below it")
        require(not output.log2_exceeds(high + Fraction(1, 2**300)), "above what is above it")

"""Rounding decided by balls of growing precision, and by exactness where that could go on (E2).

An output or log-sum-exp is either a rational that E1 finds, or irrational: then it lies strictly
between rounding boundaries, which are rational, and some precision separates it from them. When
a single boundary r is left in the ball, the sign of ``out - r`` is that of a sum of exponentials
whose exact coefficients cancel before anything is rounded, so that even an output within e^-10^6
of r needs few bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import copysign, isfinite, isnan
from typing import Literal

from flint import arb

from kvfloor.attention.enclosure import enclose_row
from kvfloor.attention.exact import ExactOutput
from kvfloor.attention.grouping import ExactAttention
from kvfloor.attention.inputs import Row
from kvfloor.numbers import BinaryFormat, Rounding, arb_precision, ball_ends, to_fmpq

__all__ = ["Base", "boundary_between", "round_ball", "round_beside", "round_row"]

Base = Literal["e", 2]
FIRST_BITS = 128


def round_row(
    row: Row,
    columns: Sequence[int],
    target: BinaryFormat,
    rounding: Rounding,
    base: Base = "e",
) -> dict[int, tuple[float, bool]]:
    """Round some columns of the answer to one query.

    Parameters
    ----------
    row : Row
    columns : sequence of int
        Which ones; column d_v is the log-sum-exp.
    target : BinaryFormat
    rounding : Rounding
    base : "e" or 2
        Of the log-sum-exp.

    Returns
    -------
    dict
        For each column the number, and whether E1 had to decide.
    """
    d_v = row.values[0].shape[1]
    outputs = sorted(set(columns) - {d_v}) or [0]  # what is not asked for is not computed
    row = row._replace(values=tuple(V_r[:, outputs] for V_r in row.values))
    open_places = {c: outputs.index(c) if c < d_v else len(outputs) for c in columns}
    settled: dict[int, tuple[float, bool]] = {}
    exact: ExactOutput | None = None
    bits = FIRST_BITS
    while open_places:
        balls = enclose_row(row, bits)
        numbers = (*balls.output, _in_base(balls.logsumexp, base, bits))
        for c, place in list(open_places.items()):
            rounded = round_ball(numbers[place], target, rounding)
            exactly = rounded is None
            if rounded is None:
                if exact is None:
                    exact = _exact(row)
                rounded = _decide(exact, place, numbers[place], target, rounding, base)
            if rounded is not None:
                settled[c] = rounded, exactly
                del open_places[c]
        bits = 2 * bits if exact is None else exact.more(bits)
    return settled


def _in_base(logsumexp: arb, base: Base, bits: int) -> arb:
    with arb_precision(bits + 64):
        return logsumexp / arb(2).log() if base == 2 else logsumexp


def _exact(row: Row) -> ExactOutput:
    bias, sink, softcap = row.terms
    attention = ExactAttention(row.keys, row.values, scale=row.scale, softcap=softcap)
    return attention(row.query, mask=row.mask, bias=bias, sink=sink)


def _decide(
    exact: ExactOutput, c: int, ball: arb, target: BinaryFormat, rounding: Rounding, base: Base
) -> float | None:
    """Round by E1: a rational directly, else by the side of the one boundary in the ball."""
    exceeds: Callable[[Fraction], bool]
    if c < len(exact):
        rational, exceeds = exact.rational(c), partial(exact.exceeds, c)
    elif base == 2:
        rational, exceeds = exact.rational_log2(), exact.log2_exceeds
    else:
        rational, exceeds = exact.rational_logsumexp(), exact.logsumexp_exceeds
    if rational is not None:
        return target.round(rational, rounding)
    if not ball.is_finite():
        return None
    boundary = boundary_between(ball_ends(ball), target, rounding)
    if boundary is None:
        return None
    return round_beside(boundary, target, rounding, above=exceeds(boundary))


def round_beside(
    boundary: Fraction, target: BinaryFormat, rounding: Rounding, *, above: bool
) -> float:
    """Return what numbers next to a boundary, on one side of it, round to."""
    return target.round(boundary + (_tiny(target) if above else -_tiny(target)), rounding)


def boundary_between(
    ends: tuple[Fraction, Fraction], target: BinaryFormat, rounding: Rounding
) -> Fraction | None:
    """The only number between the ends where the rounded value changes, None if in doubt.

    Zeros and what overflows are neighbours of numbers as others are.
    """
    if max(map(abs, ends)) < _tiny(target):
        return Fraction(0)
    if ends[0] <= 0 <= ends[1]:
        return None
    low, high = (_reached(end, target, rounding) for end in ends)
    if _reached(low + _tiny(target), target, "up") != high:
        return None
    if rounding == "nearest":
        return (low + high) / 2
    return low if rounding == "up" or (rounding == "zero" and low < 0) else high


def _reached(x: Fraction, target: BinaryFormat, rounding: Rounding) -> Fraction:
    """What a number rounds to; the first that the format lacks for what overflows."""
    rounded = target.round(x, rounding)
    if isfinite(rounded):
        return Fraction(rounded)
    beyond = target.max_finite + target.ulp(target.max_finite)
    return beyond if x > 0 else -beyond


def _tiny(target: BinaryFormat) -> Fraction:
    """A quarter of the least positive number: boundaries lie further apart than this."""
    return Fraction(2) ** (target.min_exponent - target.precision - 1)


def round_ball(ball: arb, target: BinaryFormat, rounding: Rounding) -> float | None:
    """Return the number that every real in the ball rounds to, None if there may be two.

    Parameters
    ----------
    ball : arb
    target : BinaryFormat
    rounding : Rounding
    """
    if not ball.is_finite():
        return None
    # All numbers of one sign below half the least of the format round alike; one stands for
    # them, as their own exponents may be astronomical.
    tiny = _tiny(target)
    if abs(ball) < to_fmpq(tiny) and not ball.contains(0):
        return target.round(tiny if ball > 0 else -tiny, rounding)
    huge = 2 * target.max_finite  # and all beyond it likewise
    if abs(ball) > to_fmpq(huge):
        return target.round(huge if ball > 0 else -huge, rounding)
    ends = ball_ends(ball)
    low, high = (target.round(end, rounding) for end in ends)
    same = low == high and copysign(1.0, low) == copysign(1.0, high)
    return low if same or (isnan(low) and isnan(high) and ends[0] * ends[1] > 0) else None

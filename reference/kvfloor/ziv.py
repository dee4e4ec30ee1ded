"""Rounding decided by balls of growing precision, and by exactness where that could go on (E2).

An output or log-sum-exp is either a rational that E1 finds, or irrational: then it lies strictly
between rounding boundaries, which are rational, and some precision separates it from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import copysign, isnan
from typing import Any

from flint import arb

from kvfloor.enclosure import enclose
from kvfloor.exact import ExactAttention
from kvfloor.formats import BinaryFormat, Rounding
from kvfloor.inputs import to_fmpq, to_fraction
from kvfloor.precision import arb_precision

__all__ = ["round_ball", "round_row"]

FIRST_BITS = 128


def round_row(
    query: Any,
    keys: Sequence[Any],
    values: Sequence[Any],
    *,
    scale: Any,
    mask: Any,
    columns: Sequence[int],
    target: BinaryFormat,
    rounding: Rounding,
) -> dict[int, tuple[float, bool]]:
    """Round some columns of the answer to one query.

    Parameters
    ----------
    query, keys, values, scale, mask
        As for `tensor_attention`.
    columns : sequence of int
        Which ones; column d_v is the log-sum-exp.
    target : BinaryFormat
    rounding : Rounding

    Returns
    -------
    dict
        For each column the number, and whether E1 had to decide.
    """
    settled: dict[int, tuple[float, bool]] = {}
    bits = FIRST_BITS
    while True:
        balls = enclose(query, keys, values, scale=scale, mask=mask, bits=bits)
        numbers = (*balls.output, balls.logsumexp)
        for c in _left(columns, settled):
            rounded = round_ball(numbers[c], target, rounding, bits=bits)
            if rounded is not None:
                settled[c] = rounded, False
        if bits == FIRST_BITS and _left(columns, settled):
            exact = ExactAttention(keys, values, scale=scale)(query, mask=mask)
            for c in _left(columns, settled):
                rational = exact.rational_logsumexp() if c == len(exact) else exact.rational(c)
                if rational is not None:
                    settled[c] = target.round(rational, rounding), True
        if not _left(columns, settled):
            return settled
        bits *= 2  # ends: what is left is irrational


def _left(columns: Sequence[int], settled: dict[int, Any]) -> list[int]:
    return [c for c in columns if c not in settled]


def round_ball(ball: arb, target: BinaryFormat, rounding: Rounding, *, bits: int) -> float | None:
    """Return the number that every real in the ball rounds to, None if there may be two.

    Parameters
    ----------
    ball : arb
    target : BinaryFormat
    rounding : Rounding
    bits : int
        At which to take the ends of the ball.
    """
    if not ball.is_finite():
        return None
    with arb_precision(bits + 64):
        # All numbers of one sign below half the least of the format round alike; this one stands
        # for them, as their own exponents may be astronomical.
        tiny = Fraction(2) ** (target.min_exponent - target.precision - 1)
        if abs(ball) < to_fmpq(tiny) and not ball.contains(0):
            return target.round(tiny if ball > 0 else -tiny, rounding)
        ends = (to_fraction(ball.lower().fmpq()), to_fraction(ball.upper().fmpq()))
    low, high = (target.round(end, rounding) for end in ends)
    same = low == high and copysign(1.0, low) == copysign(1.0, high)
    return low if same or (isnan(low) and isnan(high) and ends[0] * ends[1] > 0) else None

"""When random signs are far apart: the exact binomial tail, and Hoeffding's bound (L5).

The inner product of two independent rows of d random signs is 2B - d, with B binomial. A draw of
rows has no two with an inner product of ε·d or more, with positive probability, once the tail
summed over all pairs is below 1.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, comb

from kvfloor.errors import InputError
from kvfloor.floors.decoding import exceeds_log
from kvfloor.inputs import as_count, as_fraction

__all__ = ["hoeffding_exponent", "least_sign_dimension", "pairs_of", "sign_tail"]


def pairs_of(rows: int) -> int:
    """Return how many pairs of rows there are."""
    return rows * (rows - 1) // 2


def sign_tail(d: int, least: Fraction) -> Fraction:
    """Return the probability that d random signs add up to ``least`` or more, exactly."""
    d = as_count(d, "d", 1)
    first = max(0, ceil((d + as_fraction(least, "least")) / 2))
    return Fraction(sum(comb(d, k) for k in range(first, d + 1)), 2**d)


def hoeffding_exponent(d: int, epsilon: Fraction) -> Fraction:
    """Return x such that d random signs add up to ε·d or more with probability at most e^-x.

    ``x = ε²d/2``, by cosh t <= exp(t²/2) (`keys`).
    """
    return epsilon**2 * d / 2


def least_sign_dimension(rows: int, epsilon: Fraction, *, exact: bool = True) -> int:
    """Return the least d for which some draw of the rows has all inner products below ε·d.

    As far as the union bound shows: with the exact tail, or by Hoeffding's bound, which asks for
    ``d > (2/ε²)·ln(rows·(rows-1)/2)``.

    Parameters
    ----------
    rows : int
        At least 2; for tuples, n**m.
    epsilon : Fraction
        0 < ε <= 1.
    exact : bool
        Sum the binomial tail instead of bounding it.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    pairs = pairs_of(as_count(rows, "rows", 2))
    epsilon = as_fraction(epsilon, "epsilon")
    if not 0 < epsilon <= 1:
        raise InputError("epsilon", "a number with 0 < epsilon <= 1", str(epsilon))

    def enough(d: int) -> bool:
        if exact:
            return pairs * sign_tail(d, epsilon * d) < 1
        return exceeds_log(hoeffding_exponent(d, epsilon), Fraction(pairs))

    return _least(enough)


def _least(enough: Callable[[int], bool]) -> int:
    """Least d >= 1 for which it is enough; for the exact tail not all larger d need be."""
    d = 1
    while not enough(d):
        d += 1
    return d

"""When random signs are far apart: the exact binomial tail, and Hoeffding's bound (L5).

The inner product of two independent rows of d random signs is 2B - d, with B binomial. A draw of
rows has no two with an inner product of ε·d or more, with positive probability, once the tail
summed over all pairs is below 1.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from math import ceil, comb

from flint import arb

from kvfloor.errors import InputError
from kvfloor.floors.decoding import least_multiplier
from kvfloor.numbers import arb_precision, as_count, as_fraction

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

    if not exact:
        return least_multiplier(hoeffding_exponent(1, epsilon), Fraction(pairs))
    # A sum of ε·d or more is one of s or more, with s from ε·d to less than ε·d + 2 and d - s even.
    # Of the d that share an s the least has the least tail: P(S_d = s-2) >= P(S_d = s) for s >= 1.
    # So only the least d of each s can be the least of all; and they grow with s.
    dimensions = ((_first(s, epsilon), s) for s in count(1))
    return next(d for d, s in dimensions if _tail_is_below(d, s, Fraction(1, pairs)))


def _first(s: int, epsilon: Fraction) -> int:
    """The least d >= 1 with ε·d > s - 2 and d - s even."""
    d = max(1, int((s - 2) / epsilon // 1) + 1)
    return d + (d - s) % 2


def _tail_is_below(d: int, s: int, bound: Fraction) -> bool:
    """Decide whether d signs add up to s or more with probability below the bound.

    In balls, as the sum of the binomial coefficients has d bits. Always ends for bounds 1/pairs:
    the tail is less than 1 and has a power of two as denominator, and of the numbers of pairs only
    1 is a power of two.
    """
    more, bits = (d + s) // 2, 64
    with arb_precision(bits):  # its largest term settles most, and is found 200 times as fast
        if arb.bin_uiui(d, more) / arb(2) ** d * bound.denominator > bound.numerator:
            return False
    while True:
        with arb_precision(bits):
            tail = (arb(1) / 2).beta_lower(more, d - more + 1, regularized=True)
            gap = tail * bound.denominator - bound.numerator
            if gap < 0 or gap > 0:
                return bool(gap < 0)
        bits *= 2

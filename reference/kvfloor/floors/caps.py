"""How much of a sphere one cap covers, and how many codewords there must therefore be (L5)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from flint import arb

from kvfloor.errors import InputError
from kvfloor.numbers import arb_precision, as_count, as_fraction, ball_ends, to_fmpq

__all__ = ["cap_fraction", "greedy_size"]


def cap_fraction(d: int, cosine: Fraction, bits: int = 128) -> arb:
    """Return a ball around I, the part of the sphere in R^d within an angle θ <= 90° of a point.

    ``I = I_{sin²θ}((d-1)/2, 1/2) / 2``, with the regularised incomplete beta function.

    Parameters
    ----------
    d : int
        At least 2.
    cosine : Fraction
        cos θ, 0 <= cos θ < 1.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    d = as_count(d, "d", 2)
    cosine = as_fraction(cosine, "cosine")
    if not 0 <= cosine < 1:
        raise InputError("cosine", "a number with 0 <= cosine < 1", str(cosine))
    with arb_precision(bits):
        sine_squared = arb(to_fmpq(1 - cosine**2))
        half = arb(1) / 2
        return sine_squared.beta_lower(half * (d - 1), half, regularized=True) / 2


def greedy_size(d: int, cosine: Fraction, most: int | None = None) -> int:
    """Return a number of codewords that every maximal code of this angle has: ⌈1/I⌉ (`keys`).

    The caps around the words of a code to which nothing can be added cover the sphere, so there
    are at least 1/I of them.

    Parameters
    ----------
    d, cosine
        As for `cap_fraction`, and so are the errors.
    most : int, optional
        Return this if there are more: in many dimensions 1/I is no number to write down.

    Notes
    -----
    The lower end of a ball around 1/I is rounded up: never too large.
    """
    with arb_precision(128):
        fraction = cap_fraction(d, cosine)
        if most is not None and most * fraction < 1:
            return most
        return ceil(ball_ends(1 / fraction)[0])

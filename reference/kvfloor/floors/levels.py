"""As many levels as a guarantee tells apart, and the symbols that they make room for.

Levels y_0 = 0 < … < y_(L-1) = 1 with one and the same room ρ between neighbours are a geometric
row: ``y_(k+1) = ((1+η)·y_k + 2α + ρ)/(1-η)``. No other levels in [0, 1] have more room between all
neighbours, so no more of them can be told apart (`value-levels`). Generic arithmetic as in
`decoding`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import arb

from kvfloor.floors.bisection import last
from kvfloor.floors.decoding import EtaAlpha, Guarantee
from kvfloor.numbers import arb_precision, as_count, to_fmpq

__all__ = [
    "address_entries",
    "equal_room",
    "growth",
    "key_symbols",
    "most_levels",
    "tied_lift",
    "value_symbols",
]


def growth(guarantee: EtaAlpha) -> Any:
    """κ = (1+η)/(1-η): what each step between levels is to the step before (`value-levels`)."""
    return (1 + guarantee.eta) / (1 - guarantee.eta)


def equal_room(guarantee: EtaAlpha, L: Any) -> Any:
    """The room between any two neighbours of L levels in [0, 1], at best (`value-levels`).

    ``2η/(κ^(L-1) - 1) - 2α``; for η = 0, where it is the grid of S1, ``1/(L-1) - 2α``.
    """
    if guarantee.eta == 0:
        return (1 - guarantee.eta) / (L - 1) - 2 * guarantee.alpha
    return 2 * guarantee.eta / (growth(guarantee) ** (L - 1) - 1) - 2 * guarantee.alpha


def most_levels(guarantee: Guarantee, at_most: int = 2**16) -> int:
    """Return the most levels in [0, 1] that answers tell apart, up to a number (`value-levels`).

    That is the largest L with ``κ^(L-1) < 1 + η/α``, or ``L - 1 < 1/(2α)`` for η = 0; for α = 0
    there is no end to them. A single level tells nothing.

    Parameters
    ----------
    guarantee : Guarantee
    at_most : int
        At least 1: an entry of 16 bits has no more than the 2^16 of the default.

    Raises
    ------
    InputError
        If ``at_most`` is no whole number >= 1.
    """
    return last(as_count(at_most, "at_most", 1), lambda L: L == 1 or _apart(guarantee, L))


def _apart(guarantee: Guarantee, L: int) -> bool:
    """Whether the room between L levels is positive; always ends, as a tie is decided first."""
    if guarantee.alpha == 0:
        return True
    if guarantee.eta == 0:
        return 2 * guarantee.alpha * (L - 1) < 1
    ratio, most = Fraction(growth(guarantee)), 1 + guarantee.eta / guarantee.alpha
    if _is_power(most, ratio, L - 1):
        return False
    bits = 64
    while True:
        with arb_precision(bits):
            gap = arb(to_fmpq(most)).log() - (L - 1) * arb(to_fmpq(ratio)).log()
            if gap > 0 or gap < 0:
                return bool(gap > 0)
        bits *= 2


def _is_power(x: Fraction, ratio: Fraction, exponent: int) -> bool:
    """Whether ``x = ratio**exponent``, for a ratio > 1; never forms a power longer than x."""
    p = ratio.numerator
    return (p.bit_length() - 1) * exponent < x.numerator.bit_length() and ratio**exponent == x


def value_symbols(order: Any, n: Any, d_v: Any) -> Any:
    """Symbols that values alone hold (`value-levels`): n·d_v for order 1, else m(n-1)·d_v.

    From order 2 on a slot has a row of ones, through which the others are read.
    """
    return n * d_v if order == 1 else order * (n - 1) * d_v


def key_symbols(order: Any, n: Any, b: Any, d_v: Any) -> Any:
    """Symbols that keys and values hold (`key-levels`), b payload columns a key.

    ``n(d_v-1) + (n-1)b`` for order 1, else ``m(n-1)(b + d_v - m)``: each slot takes a column of
    the values, to mark its first row.
    """
    return value_symbols(order, n, d_v - order) + order * (n - 1) * b


def tied_lift(order: Any, strength: Any, payload: Any) -> Any:
    """What payloads up to X lift a tuple by, at most, over that of ones (`key-levels`).

    ``γ(X^m - 1)``: the margin of addresses has to make up for it.
    """
    return strength * (payload**order - 1)


def address_entries(order: Any, n: int, *, tied: bool) -> Any:
    """Entries of a key that name it, if norms are free (`value-levels`, `key-levels`).

    Each slot takes two, points on a parabola, or one for up to two keys. Where queries tie keys
    to the first of their slot, that one has an entry of its own, and the others take as many.
    """
    others = n - 1 if tied else n
    return order * (min(2, max(1, others - 1)) + tied)

"""Exact intervals for a probability of which only successes are known (Clopper and Pearson; L4)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb
from typing import Any

from kvfloor.errors import InputError
from kvfloor.numbers import as_count, as_fraction, shown

__all__ = ["as_confidence", "clopper_pearson"]

GRID_BITS = 20  # ends are rounded outward to multiples of 2**-20


def as_confidence(confidence: Any) -> Fraction:
    """Return a confidence, 0 < confidence < 1, as a rational; `InputError` if it is none (L4)."""
    exact = as_fraction(confidence, "confidence")
    if not 0 < exact < 1:
        raise InputError("confidence", "a number with 0 < confidence < 1", shown(exact))
    return exact


def clopper_pearson(successes: int, trials: int, confidence: Any) -> tuple[Fraction, Fraction]:
    """Return an interval that holds the probability of success with at least the confidence.

    The lower end is the p at which so many successes or more have probability
    ``(1 - confidence)/2``, the upper end the same for so many or fewer; decided in whole numbers,
    and rounded outward. So a success rate that was measured is put to the floor with errors (L4).

    Parameters
    ----------
    successes, trials : int
        Of independent trials with one probability.
    confidence : number
        Between 0 and 1.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    k, n = as_count(successes, "successes"), as_count(trials, "trials", 1)
    if k > n:
        raise InputError("successes", f"at most trials = {n}", str(k))
    most = (1 - as_confidence(confidence)) / 2
    low = _last(lambda p: k > 0 and _tail(range(k, n + 1), n, p) <= most)
    high = _last(lambda p: k < n and _tail(range(n - k, n + 1), n, p) <= most)
    return low, 1 - high


def _tail(counts: range, n: int, p: int) -> Fraction:
    """The probability of these counts of n at p/2**GRID_BITS."""
    q, one = 2**GRID_BITS - p, 2**GRID_BITS
    return Fraction(sum(comb(n, i) * p**i * q ** (n - i) for i in counts), one**n)


def _last(holds: Callable[[int], bool]) -> Fraction:
    """The last multiple of the grid at which a monotone statement holds, 0 if it never does."""
    low, high = 0, 2**GRID_BITS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Fraction(low, 2**GRID_BITS)

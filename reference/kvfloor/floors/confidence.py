"""Exact intervals for a probability of which only successes are known (Clopper and Pearson; L4)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb

from kvfloor.errors import InputError
from kvfloor.numbers import arb_precision, as_count, as_fraction, shown, to_fmpq

__all__ = ["as_confidence", "clopper_pearson", "side_of"]

BITS = 256  # of balls around tails: what they cannot decide is taken for not small enough
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
    ``(1 - confidence)/2``, the upper end the same for so many or fewer; decided in balls, and
    rounded outward. So a success rate that was measured is put to the floor with errors (L4).

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
    most = _half(confidence)
    unit = Fraction(1, 2**GRID_BITS)
    low = _last(lambda p: k > 0 and _within(k, n, p * unit, most))
    high = _last(lambda p: k < n and _within(n - k, n, p * unit, most))
    return low, 1 - high


def side_of(successes: int, trials: int, probability: Fraction, confidence: Any) -> int:
    """Return on which side of a probability the interval of `clopper_pearson` lies, 0 for neither.

    Returns
    -------
    int
        1 if all of the interval is above, -1 if all is below; without computing its ends.
    """
    most = _half(confidence)
    k, n = successes, trials
    if k > 0 and _within(k, n, probability, most):
        return 1
    return -1 if k < n and _within(n - k, n, 1 - probability, most) else 0


def _half(confidence: Any) -> Fraction:
    """Return what an end may fail with: half of what the confidence leaves."""
    return (1 - as_confidence(confidence)) / 2


def _within(k: int, n: int, probability: Fraction, most: Fraction) -> bool:
    """Whether k or more successes of n surely have at most a probability, by sums of balls."""
    with arb_precision(BITS):
        p = arb(to_fmpq(probability))
        few = k <= n - k  # sum what is shorter: fewer than k, or k and more from n down
        if not few:
            p = 1 - p
        if not p < 1:
            return False
        odds, term, total = p / (1 - p), (1 - p) ** n, arb(0)
        for i in range(k if few else n - k + 1):
            total += term
            term = term * (n - i) / (i + 1) * odds
        return bool((1 - total if few else total) <= arb(to_fmpq(most)))


def _last(holds: Callable[[int], bool]) -> Fraction:
    """The last multiple of the grid at which a monotone statement holds, 0 if it never does."""
    low, high = 0, 2**GRID_BITS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Fraction(low, 2**GRID_BITS)

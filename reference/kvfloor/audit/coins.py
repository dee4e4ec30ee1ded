"""How often a cache that may fail does fail: coins tossed until it is told from δ.

The interval of Clopper and Pearson is for one look at a number of tosses that was fixed before.
Here it is looked at again and again, after 1/δ tosses, 2/δ, 4/δ and so on. So 1 - confidence is
spent on the looks, in equal parts: every look has its part, and by the union bound all of their
intervals hold together with the confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from kvfloor.audit.result import Rate
from kvfloor.floors import clopper_pearson, side_of

__all__ = ["LOOKS", "MOST_TOSSES", "looks", "rate_of", "tossed_until_told"]

LOOKS = 10  # 512/δ tosses at the last one: 1.5·δ is told from δ but for one audit in 1000
MOST_TOSSES = 2**16


def looks(delta: Fraction, most: int = MOST_TOSSES) -> list[int]:
    """Return after how many tosses the interval is looked at: from 1/δ on, doubling."""
    first = -(-delta.denominator // delta.numerator)
    return sorted({min(most, first * 2**k) for k in range(LOOKS)})


def tossed_until_told(
    accurate: Callable[[int], Sequence[bool]],
    delta: Fraction,
    confidence: Fraction,
    most: int = MOST_TOSSES,
) -> tuple[Rate, int]:
    """Toss coins until the interval of the failure rate lies on one side of δ, or there are enough.

    Parameters
    ----------
    accurate : callable
        Makes so many more trials, and returns which of them were accurate.
    delta, confidence : Fraction
    most : int
        The budget: tosses at the last look.

    Returns
    -------
    Rate
    int
        1 if the cache fails more often than δ, -1 if less often, 0 if the budget ended before.
    """
    counts = looks(delta, most)
    part = 1 - (1 - confidence) / len(counts)
    done = failures = side = 0
    for count in counts:
        failures += sum(not right for right in accurate(count - done))
        done = count
        side = side_of(failures, done, delta, part)
        if side:
            break
    return rate_of(failures, done, part), side


def rate_of(failures: int, tosses: int, confidence: Fraction) -> Rate:
    """Return a rate with its interval at a confidence."""
    return Rate(failures, tosses, *clopper_pearson(failures, tosses, confidence))

"""The floor for caches that may fail with a small probability (T1, by L4)."""

from __future__ import annotations

from typing import Any

from kvfloor.floors.decoding import four_cache
from kvfloor.floors.messages import randomised_bits
from kvfloor.numbers import as_count

__all__ = ["randomised_four_cache"]


def randomised_four_cache(n: int, d_v: int, delta: Any) -> int:
    """Return the bits that a cache needs which fails at each query with probability at most δ.

    The least whole number that is at least (1 - H₂(δ))·n·d_v, exactly.

    It is for states that all have exactly this many bits; if lengths vary up to b, there are
    2^(b+1) - 1 states, which costs at most one bit.

    Parameters
    ----------
    n, d_v : int
        Addresses, and bits at each of them.
    delta : number
        0 <= δ <= 1/2.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    T1 `four-cache`, and L4 `index-randomized` for N = n·d_v.
    """
    return randomised_bits(four_cache(as_count(n, "n", 1), as_count(d_v, "d_v", 1)), delta)

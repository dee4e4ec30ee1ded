"""The floor for caches that may fail with a small probability (T1, by L4)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors.decoding import four_cache
from kvfloor.floors.entropy import binary_entropy
from kvfloor.inputs import as_count, as_fraction, ball_ends
from kvfloor.precision import arb_precision

__all__ = ["randomised_four_cache"]


def randomised_four_cache(n: int, d_v: int, delta: Any) -> int:
    """Return the bits that a cache needs which fails at each query with probability at most δ.

    The least whole number that is at least (1 - H₂(δ))·n·d_v, exactly.

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
    T1 `four-cache`. Always ends: H₂(p/q) is irrational but at 0, 1/2 and 1, where it is exact.
    For q^q = 2^(q·H₂)·p^p·(q-p)^(q-p), and q is coprime to p and to q - p.
    """
    size = four_cache(as_count(n, "n", 1), as_count(d_v, "d_v", 1))
    error = as_fraction(delta, "delta")
    if not 0 <= error <= Fraction(1, 2):
        raise InputError("delta", "a number with 0 <= delta <= 1/2", str(error))
    bits = 64 + size.bit_length()
    while True:
        with arb_precision(bits):
            floor = size * (1 - binary_entropy(error, bits))
        least, most = map(ceil, ball_ends(floor))
        if least == most:
            return least
        bits *= 2

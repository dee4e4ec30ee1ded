"""Bits that INDEX needs when it may err, and the least error that bits allow (L4)."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors.entropy import binary_entropy
from kvfloor.numbers import as_count, as_fraction, ball_ends

__all__ = [
    "entropy_at_most",
    "index_randomized",
    "least_error",
    "one_bit_success",
    "randomised_bits",
]


def index_randomized(size: Any, entropy: Any) -> Any:
    """Bits for N bits of INDEX with error δ: (1 - H₂(δ))·N, from N and H₂(δ) (L4)."""
    return (1 - entropy) * size


def randomised_bits(size: int, delta: Any) -> int:
    """Return the least whole number of bits that L4 allows: ⌈(1 - H₂(δ))·N⌉.

    For messages that all have exactly this many bits; if lengths vary up to b, there are
    2^(b+1) - 1 of them, which costs at most one bit.

    Parameters
    ----------
    size : int
        N >= 1.
    delta : number
        Error for each query, ``0 <= delta <= 1/2``.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    N, error = as_count(size, "size", 1), as_fraction(delta, "delta")
    if not 0 <= error <= Fraction(1, 2):
        raise InputError("delta", "a number with 0 <= delta <= 1/2", str(error))
    bits = 64
    while True:
        # Ends: H₂(p/q) is irrational but at 0, 1/2 and 1. For q^q = 2^(q·H₂)·p^p·(q-p)^(q-p)
        # where q^q is coprime to p^p·(q-p)^(q-p); were H₂ rational, that would have to be 1.
        lower, upper = (
            -(-index_randomized(N, end) // 1) for end in ball_ends(binary_entropy(error, bits))
        )
        if lower == upper:
            return int(lower)
        bits *= 2


def entropy_at_most(error: Fraction, most: Fraction) -> bool:
    """Decide ``H₂(error) <= most``; ends for the reason given in `randomised_bits`."""
    bits = 64
    while True:
        lower, upper = ball_ends(binary_entropy(error, bits))
        if upper <= most or lower > most:
            return upper <= most
        bits *= 2


def least_error(rate: Fraction, grid_bits: int = 40) -> Fraction:
    """Return H₂⁻¹(1 - rate) rounded down to a multiple of ``2**-grid_bits`` (L4, T6).

    No protocol of ``rate·N`` bits for N bits of INDEX errs less, on average over inputs, indices
    and coins.

    Raises
    ------
    InputError
        If the rate is not in [0, 1].
    """
    if not 0 <= rate <= 1:
        raise InputError("rate", "a number with 0 <= rate <= 1", str(rate))
    low, high = 0, 2 ** (grid_bits - 1) + 1  # H₂(low) is small enough; high is above 1/2
    while high - low > 1:
        middle = (low + high) // 2
        if entropy_at_most(Fraction(middle, 2**grid_bits), 1 - rate):
            low = middle
        else:
            high = middle
    return Fraction(low, 2**grid_bits)


def one_bit_success(size: int) -> Fraction:
    """Return the best average success of one bit: 1/2 + C(N-1, ⌊(N-1)/2⌋)/2^N (L4).

    Raises
    ------
    InputError
        If N < 1.
    """
    N = as_count(size, "size", 1)
    return Fraction(1, 2) + Fraction(comb(N - 1, (N - 1) // 2), 2**N)

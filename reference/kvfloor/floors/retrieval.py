"""Bits behind symbols that are read with some error (H5 `retrievable-information`)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import arb

from kvfloor.errors import InputError
from kvfloor.floors.entropy import binary_entropy
from kvfloor.numbers import arb_precision, as_count, as_fraction, ball_ends, shown, to_fmpq

__all__ = ["mixed_bits", "retrievable", "symbol_bits"]


def retrievable(size: Any, symbol: Any, entropy: Any, delta: Any, others: Any) -> Any:
    """Bits for N symbols read with error δ: N·(log₂ L - H₂(δ) - δ·log₂(L-1)) (H5).

    Parameters
    ----------
    size : number
        N.
    symbol, entropy, others : numbers
        log₂ L, H₂(δ) and log₂(L-1).
    delta : number
        δ.
    """
    return size * (symbol - entropy - delta * others)


def symbol_bits(symbols: int, L: int, delta: Any = 0) -> int:
    """Return bits that a state needs from which N symbols of L are read with error δ (H5).

    What `mixed_bits` returns for symbols that all have as many levels.

    Parameters
    ----------
    symbols : int
        N >= 0.
    L : int
        At least 2.
    delta : number
        Error for each symbol, ``0 <= δ <= 1 - 1/L``: there it says nothing more than a guess.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    return mixed_bits({L: symbols}, delta)


def mixed_bits(symbols: Mapping[int, int], delta: Any = 0) -> int:
    """Return bits that a state needs from which each of some symbols is read with error δ (H5).

    The least whole number that is at least the sum of log₂ L - H₂(δ) - δ·log₂(L-1) over the
    symbols, and for δ = 0 the least b with 2^b >= the product of all L; both but for numbers that
    a ball of radius 2^-64 does not tell from the next lower whole number, for which that is
    returned. So it is always a floor.

    For states that all have exactly this many bits; if lengths vary up to b, there are
    2^(b+1) - 1 states, which costs at most one bit.

    Parameters
    ----------
    symbols : mapping
        How many symbols, at least 0, there are of each number of levels L, at least 2.
    delta : number
        Error for each symbol, ``0 <= δ <= 1 - 1/L`` for all L.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    error = as_fraction(delta, "delta")
    for L, N in symbols.items():
        as_count(N, "symbols")
        if not 0 <= error <= 1 - Fraction(1, as_count(L, "L", 2)):
            raise InputError("delta", f"a number with 0 <= delta <= 1 - 1/{L}", shown(error))
    precision = 128 + sum(symbols.values()).bit_length() + max(symbols, default=2).bit_length()
    with arb_precision(precision):
        entropy, bits = binary_entropy(error, precision), arb(0)
        for L, N in symbols.items():
            one, others = (arb(x).log() / arb.const_log2() for x in (L, L - 1))
            bits += retrievable(N, one, entropy, to_fmpq(error), others)
    return max(0, int(-(-ball_ends(bits)[0] // 1)))

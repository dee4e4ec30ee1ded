"""Bits behind symbols that are read with some error (H5 `retrievable-information`)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import arb

from kvfloor.errors import InputError
from kvfloor.floors.confidence import as_confidence
from kvfloor.floors.entropy import binary_entropy
from kvfloor.numbers import arb_precision, as_count, as_fraction, ball_ends, shown, to_fmpq

__all__ = [
    "certified_bits",
    "counted",
    "length_share",
    "mixed_bits",
    "retrievable",
    "symbol_bits",
    "words_within",
]

GRID_BITS = 20  # certified bits are rounded down to multiples of 2**-20


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


def length_share(bits: Any) -> Any:
    """Part of the doubt that is kept for states of b bits: 1/(2(b+1)(b+2)) (H5).

    Over all b, and twice, for states that all have b bits and for those of up to b bits, the
    parts add up to 1. So the length need not be known before states are seen.
    """
    return Fraction(1, 2) / ((bits + 1) * (bits + 2))


def counted(instances: Any, size: Any, symbol: Any, within: Any, doubt: Any) -> Any:
    """Bits behind the symbols of k instances, from their errors: (k·N·log₂ L - log₂ V - u)/k (H5).

    Parameters
    ----------
    instances, size : numbers
        k, and the symbols N of each.
    symbol : number
        log₂ L.
    within : number
        log₂ V, V the words with so many errors at most.
    doubt : number
        u, log₂ of one over the probability that is left for this to be too much.
    """
    return (instances * size * symbol - within - doubt) / instances


def words_within(size: int, L: int, wrong: int) -> arb:
    """Return a ball around V_L(N, e), the words of N letters with e errors at most (H5).

    ``Σ_(i<=e) C(N,i)·(L-1)^i``.

    Parameters
    ----------
    size, L : int
        N >= 0; letters, at least 2.
    wrong : int
        e, at most N.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    N, others, e = as_count(size, "size"), as_count(L, "L", 2) - 1, as_count(wrong, "wrong")
    if e > N:
        raise InputError("wrong", f"at most N = {N}", str(e))
    with arb_precision(128 + N.bit_length()):
        exactly = total = arb(1)
        for i in range(e):
            exactly = exactly * ((N - i) * others) / (i + 1)
            total += exactly
        return total


def certified_bits(
    size: int, L: int, *, instances: int, wrong: int, longest: int, alike: bool, confidence: Any
) -> Fraction:
    """Return the bits that states have, by what was read from them, at a confidence (H5).

    For k instances of N uniform symbols of L levels, read with e errors in all from states of at
    most b bits. It is more than b with probability at most 1 - confidence, whatever the cache
    does with its states and its public coins; rounded down to a multiple of 2^-20, at least 0.

    Parameters
    ----------
    size, L : int
        N, and the levels of a symbol, at least 2.
    instances, wrong : int
        k >= 1; e, at most k·N.
    longest : int
        b, the bits of the longest of the k states.
    alike : bool
        Whether all of them had as many; if not, that costs a bit.
    confidence : number
        Between 0 and 1.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    N, k = as_count(size, "size"), as_count(instances, "instances", 1)
    share = length_share(as_count(longest, "longest")) * (1 - as_confidence(confidence))
    within = words_within(k * N, L, wrong)
    with arb_precision(128 + (k * N * L).bit_length()):
        symbol, words, doubt = (
            x.log() / arb.const_log2() for x in (arb(L), within, 1 / arb(to_fmpq(share)))
        )
        bits = counted(k, N, symbol, words, doubt) - (0 if alike else 1)
        return max(Fraction(0), ball_ends(bits * 2**GRID_BITS)[0] // 1 / Fraction(2**GRID_BITS))

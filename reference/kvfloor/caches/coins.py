"""Public coins: a seed and a place give the same flips every time, so no state holds them (D4)."""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kvfloor.numbers import Array

__all__ = ["Coins", "Flips", "PublicCoins", "as_coins", "derived_seed", "rotation", "signs"]

Flips = npt.NDArray[np.bool_]
Place = tuple[int, ...]
WORD = 64


class Coins(Protocol):
    """Where a randomised cache gets its randomness from."""

    def flips(self, probability: Fraction, count: int, place: Place) -> Flips:
        """Return independent events of a probability; other places are independent of them."""


class PublicCoins:
    """Coins that everyone knows who knows the seed.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def flips(self, probability: Fraction, count: int, place: Place) -> Flips:
        """Return ``count`` flips that are heads with exactly this probability, for random words.

        A word of 64 bits decides unless it is the first word of the probability itself; then the
        next one does.
        """
        threshold, rest = divmod(probability.numerator << WORD, probability.denominator)
        if threshold >= 2**WORD:
            return np.ones(count, dtype=np.bool_)
        words = _words(self._seed, place, count)
        heads: Flips = words < np.uint64(threshold)
        undecided = np.flatnonzero(words == np.uint64(threshold))
        if rest and undecided.size:
            further = Fraction(rest, probability.denominator)
            heads[undecided] = self.flips(further, undecided.size, (*place, -1))
        return heads


def as_coins(seed: int | Coins) -> Coins:
    """Return the public coins of a seed; coins stay what they are."""
    return PublicCoins(seed) if isinstance(seed, int) else seed


def derived_seed(seed: int, purpose: str) -> int:
    """Return another seed, below 2**32, as good as independent of all that a seed is used for."""
    return int.from_bytes(blake2b(f"{purpose}:{seed}".encode(), digest_size=4).digest(), "little")


def signs(seed: int, shape: tuple[int, int], place: Place) -> Array:
    """Return a matrix of random signs, as float64."""
    bits = _words(seed, place, shape[0] * shape[1]) >> np.uint64(WORD - 1)
    matrix: Array = 1.0 - 2.0 * bits.astype(np.float64)
    return matrix.reshape(shape)


def rotation(seed: int, d: int, place: Place) -> Array:
    """Return a random d×d orthogonal matrix, uniformly distributed up to float64's rounding.

    It is the same wherever the linear algebra is: LAPACKs may differ in the last bits.
    """
    words = _words(seed, place, 2 * d * d) >> np.uint64(WORD - 53)
    uniform = words.astype(np.float64).reshape(2, d, d) / 2.0**53
    normal = np.sqrt(-2 * np.log1p(-uniform[0])) * np.cos(2 * np.pi * uniform[1])
    matrix, triangle = np.linalg.qr(normal)
    turned: Array = matrix * np.where(np.diag(triangle) < 0, -1.0, 1.0)
    return turned


def _words(seed: int, place: Place, count: int) -> npt.NDArray[np.uint64]:
    """Pseudo-random words; NumPy promises that Philox stays as it is."""
    key = blake2b(f"{seed}:{place}".encode(), digest_size=16).digest()
    words: npt.NDArray[np.uint64] = np.random.Philox(key=int.from_bytes(key, "little")).random_raw(
        count
    )
    return words

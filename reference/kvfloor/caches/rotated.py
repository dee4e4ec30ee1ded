"""Vectors rotated at random and rounded entry by entry, in the manner of TurboQuant."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kvfloor.caches.tokens import Shape
from kvfloor.caches.turned import TurnedCache, Whole, lloyd
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count

__all__ = ["ANGLES", "RotatedCache", "as_few_bits", "codebook", "nearest"]

MOST_BITS = 8
ANGLES = 2**16  # of the integrals


class RotatedCache(TurnedCache):
    """Keeps the norm of every key and value, and b bits of every entry of its direction, rotated.

    A direction that is rotated uniformly at random has entries of a known distribution, whatever it
    was. So one `codebook` serves all of them, and there are no scales of groups. This is the first
    stage of TurboQuant (arXiv:2504.19874, as QJL and PolarQuant before it rotate), whose promise is

        E‖x - x'‖² ≤ (√3·π/2)·4^-b·‖x‖²

    over the coins, but for the rounding of the norm. Its second stage, signs of a sketch of the
    rest, is left out: it makes the mean of a logit right, and no answer nearer.

    The rotations are public coins: one for the keys and one for the values of each slot. The state
    is the number of tokens in 64 bits, the norms token by token, and the codes.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    bits : int
        b, from 1 to 8.
    dtype : dtype or str
        The format of the norms: one of `FORMATS`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(
        self, *, order: int, d: int, d_v: int, seed: int, bits: int, dtype: Any = "float16"
    ) -> None:
        shape, bits = Shape(order, d, d_v), as_few_bits(bits)
        codecs = [_Directions(width, bits) for width in (d, d_v) for _ in range(order)]
        super().__init__(shape, seed, codecs, dtype)


class _Directions:
    """A vector as its norm, and its direction entry by entry."""

    numbers = 1

    def __init__(self, width: int, bits: int) -> None:
        self.digits, self._levels = [bits] * width, codebook(width, bits)

    def encode(self, vector: Array) -> tuple[Array, Whole]:
        norm = float(np.linalg.norm(vector))
        return np.array([norm]), nearest(vector / (norm or 1), self._levels)

    def decode(self, numbers: Array, codes: Whole) -> Array:
        return np.asarray(numbers * self._levels[codes])


def as_few_bits(bits: Any) -> int:
    """Return the bits of a code, from 1 to 8; `InputError` for others."""
    count = as_count(bits, "bits", 1)
    if count > MOST_BITS:
        raise InputError("bits", f"at most {MOST_BITS}", str(bits))
    return count


def nearest(numbers: Array, levels: Array) -> Any:
    """Return the places of the nearest levels, of ascending ones."""
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, numbers)


@cache
def codebook(d: int, bits: int) -> Array:
    """Return 2^b levels for an entry of a random direction of d entries, ascending.

    They start where they are for large b. The entry is cos θ, where θ has a density as
    ``sin(θ)^(d-2)``.
    """
    angles = (np.arange(ANGLES) + 0.5) * np.pi / ANGLES
    entries, weights = -np.cos(angles), np.sin(angles) ** (d - 2)
    spread = np.cumsum(np.sin(angles) ** (d / 3))  # as the cube root of the density, of x
    share = (np.arange(2**bits) + 0.5) / 2**bits * spread[-1]
    return lloyd(entries, weights, entries[np.searchsorted(spread, share)])

"""Vectors rotated at random, as angles of pairs, of pairs of radii, and so on: PolarQuant."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kvfloor.caches.rotated import ANGLES, as_few_bits, nearest
from kvfloor.caches.tokens import Shape
from kvfloor.caches.turned import TurnedCache, Whole, lloyd
from kvfloor.numbers import Array, as_count

__all__ = ["PolarCache", "levels_of", "polar", "vectors_of"]

MORE = 2  # bits of an angle of the whole circle, beside those of a quarter: a step is as long


class PolarCache(TurnedCache):
    """Keeps a radius of every 2^L entries of a key or value, rotated, and all angles in few bits.

    After a random rotation the entries are taken in pairs: each is a radius and an angle. Radii are
    taken in pairs again, L times. Angles of the first level lie all around, b + 2 bits each; those
    of the others in a quarter of the circle, b bits each, at levels of least mean square error for
    the density that a random direction has there, ``sin(2ψ)^(2^(k-1) - 1)`` on level k. So scales
    of groups need not be kept. This is PolarQuant (arXiv:2502.02617), which has L = 4 and b = 2.
    Its authors' guarantee is of a mean over rotations, and names no constant.

    The state is the number of tokens in 64 bits, the radii token by token, and the codes.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    bits : int
        b, from 1 to 8.
    levels : int
        L; fewer where a width is no multiple of 2^L.
    dtype : dtype or str
        The format of the radii: one of `FORMATS`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int,
        bits: int = 2,
        levels: int = 4,
        dtype: Any = "float16",
    ) -> None:
        shape, bits = Shape(order, d, d_v), as_few_bits(bits)
        levels = as_count(levels, "levels", 1)
        codecs = [_Polar(width, bits, levels) for width in (d, d_v) for _ in range(order)]
        super().__init__(shape, seed, codecs, dtype)


class _Polar:
    """A vector as radii, and angles level by level."""

    def __init__(self, width: int, bits: int, levels: int) -> None:
        depth = min(levels, (width & -width).bit_length() - 1)
        self.numbers = width >> depth
        self._bits = [bits + MORE * (k == 1) for k in range(1, depth + 1)]
        self._counts = [width >> k for k in range(1, depth + 1)]
        self._levels = [levels_of(k, b) for k, b in enumerate(self._bits, start=1)]
        self.digits = [b for b, count in zip(self._bits, self._counts, strict=True)
                       for _ in range(count)]  # fmt: skip

    def encode(self, vector: Array) -> tuple[Array, Whole]:
        radii, angles = polar(vector, len(self._bits))
        codes = [nearest(part, some) for part, some in zip(angles, self._levels, strict=True)]
        return radii, np.concatenate([np.empty(0, np.int64), *codes])

    def decode(self, numbers: Array, codes: Whole) -> Array:
        parts = np.split(codes, np.cumsum(self._counts)[:-1], axis=1) if self._counts else []
        angles = [some[part] for part, some in zip(parts, self._levels, strict=True)]
        return vectors_of(numbers, angles)


def polar(vector: Array, depth: int) -> tuple[Array, list[Array]]:
    """Return radii, and the angles of each level, the first all around and the others in [0, π/2].

    Parameters
    ----------
    vector : array, shape (..., width)
    depth : int
        Levels; the width is a multiple of ``2**depth``.
    """
    radii, angles = vector, []
    for _ in range(depth):
        first, second = radii[..., ::2], radii[..., 1::2]
        angles.append(np.arctan2(second, first))
        radii = np.hypot(first, second)
    return radii, angles


def vectors_of(radii: Array, angles: list[Array]) -> Array:
    """Return the vectors of which `polar` makes these."""
    for angle in reversed(angles):
        pairs = np.stack([radii * np.cos(angle), radii * np.sin(angle)], axis=-1)
        radii = pairs.reshape(*radii.shape[:-1], 2 * radii.shape[-1])
    return radii


@cache
def levels_of(level: int, bits: int) -> Array:
    """Return 2^b angles for those of a level, ascending; on the first they are as far apart."""
    parts = (np.arange(2**bits) + 0.5) / 2**bits
    if level == 1:
        return np.asarray((2 * parts - 1) * np.pi)
    angles = (np.arange(ANGLES) + 0.5) * np.pi / 2 / ANGLES
    return lloyd(angles, np.sin(2 * angles) ** (2 ** (level - 1) - 1), parts * np.pi / 2)

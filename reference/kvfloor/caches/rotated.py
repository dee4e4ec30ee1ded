"""Vectors rotated at random and rounded entry by entry, in the manner of TurboQuant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from kvfloor.caches.coins import rotation
from kvfloor.caches.groups import pack_codes, unpack_codes
from kvfloor.caches.packing import StateReader, count_bytes, number_bytes
from kvfloor.caches.tokens import Shape, as_token, attend, round_floats, rounded
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count, as_format

__all__ = ["RotatedCache", "codebook"]

MOST_BITS = 8
ANGLES = 2**16  # of the integrals
ROUNDS = 200  # of Lloyd's iteration


class RotatedCache:
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
        self._shape, self._format = Shape(order, d, d_v), as_format(dtype)
        self._bits = as_count(bits, "bits", 1)
        if self._bits > MOST_BITS:
            raise InputError("bits", f"at most {MOST_BITS}", str(bits))
        widths = [d] * order + [d_v] * order
        self._rotations = [rotation(seed, width, (k,)) for k, width in enumerate(widths)]
        self._levels = [codebook(width, self._bits) for width in widths]
        self._norms: Array = np.empty((0, 2 * order))
        self._codes = np.empty((0, self._shape.width), dtype=np.int64)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> RotatedCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader, width = StateReader(state), cache._shape.width
        tokens = reader.count()
        cache._norms = reader.numbers((tokens, cache._norms.shape[1]), cache._format)
        cache._codes = unpack_codes(reader, tokens * width, cache._bits).reshape(tokens, width)
        reader.end()
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or a number or a norm beyond the format.
        """
        token = rounded(as_token(keys, values, self._shape), as_format("float64"))
        rows = [row for part in self._shape.split(token) for row in part]
        norms = [float(np.linalg.norm(row)) for row in rows]
        codes = [
            nearest(matrix @ row / (norm or 1), levels)
            for row, norm, matrix, levels in zip(
                rows, norms, self._rotations, self._levels, strict=True
            )
        ]
        kept = round_floats(np.array(norms), self._format)
        self._norms = np.vstack([self._norms, kept])
        self._codes = np.vstack([self._codes, np.concatenate(codes)])

    def state(self) -> bytes:
        """Return the number of tokens, the norms, and the codes."""
        return (
            count_bytes(len(self._norms))
            + number_bytes(self._norms, self._format)
            + pack_codes(self._codes, self._bits)
        )

    def state_bits(self) -> int:
        """Return the bits of the state without the padding of its last byte."""
        return 8 * len(self.state()) - -self._codes.size * self._bits % 8

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        codes = [part for kind in self._shape.split(self._codes) for part in kind]
        rows = [
            norms[:, np.newaxis] * levels[part] @ matrix
            for part, norms, matrix, levels in zip(
                codes, self._norms.T, self._rotations, self._levels, strict=True
            )
        ]
        order = self._shape.order
        return attend(rows[:order], rows[order:], query, self._shape.d)


def nearest(numbers: Array, levels: Array) -> Any:
    """Return the places of the nearest levels, of ascending ones."""
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, numbers)


@cache
def codebook(d: int, bits: int) -> Array:
    """Return 2^b levels for an entry of a random direction of d entries, ascending.

    Those of Lloyd and Max, of least mean square error, by Lloyd's iteration from where they are for
    large b. The entry is cos θ, where θ has a density as ``sin(θ)^(d-2)``.
    """
    angles = (np.arange(ANGLES) + 0.5) * np.pi / ANGLES
    entries, weights = -np.cos(angles), np.sin(angles) ** (d - 2)
    spread = np.cumsum(np.sin(angles) ** (d / 3))  # as the cube root of the density, of x
    masses = np.append(0, np.cumsum(weights))
    moments = np.append(0, np.cumsum(weights * entries))
    share = (np.arange(2**bits) + 0.5) / 2**bits * spread[-1]
    levels: Array = entries[np.searchsorted(spread, share)]
    for _ in range(ROUNDS):
        ends = np.searchsorted(entries, (levels[1:] + levels[:-1]) / 2)
        places = np.array([0, *ends, ANGLES])
        mass, moment = np.diff(masses[places]), np.diff(moments[places])
        levels = np.where(mass > 0, moment / np.where(mass > 0, mass, 1), levels)
    return levels

"""Caches of vectors that are turned at random, and then kept in few bits each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kvfloor.caches.coins import rotation
from kvfloor.caches.packing import StateReader, count_bytes, number_bytes
from kvfloor.caches.rows import Rows
from kvfloor.caches.tokens import Shape, attend, round_floats, rounded_token
from kvfloor.numbers import Array, as_format

__all__ = ["Codec", "TurnedCache", "lloyd"]

Whole = npt.NDArray[np.int64]
ROUNDS = 200  # of Lloyd's iteration


class Codec(Protocol):
    """How a turned vector of some width is kept: as a few numbers, and codes."""

    @property
    def numbers(self) -> int:
        """Numbers that are kept in a format."""

    @property
    def digits(self) -> Sequence[int]:
        """Bits of each code."""

    def encode(self, vector: Array) -> tuple[Array, Whole]:
        """Return numbers and codes."""

    def decode(self, numbers: Array, codes: Whole) -> Array:
        """Return the vectors that rows of numbers and of codes stand for."""


class TurnedCache:
    """Keeps every key and value as a codec has it, after a random rotation of its own slot.

    The rotations are public coins. The state is the number of tokens in 64 bits, the numbers token
    by token, and the codes.

    Parameters
    ----------
    shape : Shape
    seed : int
    codecs : sequence of Codec
        Of the keys of each slot, then of its values.
    dtype : dtype or str
        The format of the numbers: one of `FORMATS`.

    Raises
    ------
    InputError
        If the format is unknown.
    """

    def __init__(self, shape: Shape, seed: int, codecs: Sequence[Codec], dtype: Any) -> None:
        self._shape, self._format, self._codecs = shape, as_format(dtype), list(codecs)
        widths = [shape.d] * shape.order + [shape.d_v] * shape.order
        self._rotations = [rotation(seed, width, (k,)) for k, width in enumerate(widths)]
        self._digits = np.array([b for codec in codecs for b in codec.digits], dtype=np.int64)
        self._numbers = Rows(sum(codec.numbers for codec in codecs))
        self._codes = Rows(len(self._digits), np.int64)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> Any:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader = StateReader(state)
        tokens = reader.count()
        cache._numbers.array = reader.numbers(
            (tokens, cache._numbers.array.shape[1]), cache._format
        )
        cache._codes.array = _unpacked(reader, tokens, cache._digits)
        reader.end()
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        token = rounded_token(keys, values, self._shape, as_format("float64"))
        rows = [row for part in self._shape.split(token) for row in part]
        kept = [
            codec.encode(matrix @ row)
            for codec, row, matrix in zip(self._codecs, rows, self._rotations, strict=True)
        ]
        numbers, codes = (np.concatenate(parts) for parts in zip(*kept, strict=True))
        self._numbers.append(round_floats(numbers, self._format))
        self._codes.append(codes)

    def state(self) -> bytes:
        """Return the number of tokens, the numbers, and the codes."""
        numbers = number_bytes(self._numbers.array, self._format)
        return count_bytes(len(self._numbers)) + numbers + _packed(self._codes.array, self._digits)

    def state_bits(self) -> int:
        """Return the bits of the state without the padding of its last byte."""
        return 8 * len(self.state()) - -len(self._codes) * int(self._digits.sum()) % 8

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        rows, order = self.vectors(), self._shape.order
        return attend(rows[:order], rows[order:], query, self._shape.d)

    def vectors(self) -> list[Array]:
        """Return what is left of keys, slot by slot, and then of values."""
        numbers = np.cumsum([codec.numbers for codec in self._codecs])[:-1]
        codes = np.cumsum([len(codec.digits) for codec in self._codecs])[:-1]
        parts = zip(
            self._codecs,
            np.split(self._numbers.array, numbers, axis=1),
            np.split(self._codes.array, codes, axis=1),
            self._rotations,
            strict=True,
        )
        return [codec.decode(some, code) @ matrix for codec, some, code, matrix in parts]


def _packed(codes: Any, digits: Whole) -> bytes:
    """Codes token by token, each in its own number of bits, the lowest first."""
    bits = np.repeat(codes, digits, axis=1) >> _places(digits) & 1
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def _unpacked(reader: StateReader, tokens: int, digits: Whole) -> Whole:
    width = int(digits.sum())
    packed = np.frombuffer(reader.take(-(-tokens * width // 8)), np.uint8)
    bits = np.unpackbits(packed, count=tokens * width, bitorder="little").reshape(tokens, width)
    if not len(digits):
        return np.empty((tokens, 0), dtype=np.int64)
    starts = np.cumsum(digits) - digits
    return np.add.reduceat(bits.astype(np.int64) << _places(digits), starts, axis=1)


def _places(digits: Whole) -> Whole:
    """For each bit of a token its place in its code."""
    return np.concatenate([np.empty(0, np.int64), *map(np.arange, digits.tolist())])


def lloyd(points: Array, weights: Array, levels: Array) -> Array:
    """Return levels of least mean square error for weighted points, ascending: Lloyd and Max.

    Parameters
    ----------
    points, weights : array
        Ascending points.
    levels : array
        Ascending, from which the iteration begins.
    """
    masses = np.append(0, np.cumsum(weights))
    moments = np.append(0, np.cumsum(weights * points))
    for _ in range(ROUNDS):
        ends = np.searchsorted(points, (levels[1:] + levels[:-1]) / 2)
        places = np.array([0, *ends, len(points)])
        mass, moment = np.diff(masses[places]), np.diff(moments[places])
        levels = np.where(mass > 0, moment / np.where(mass > 0, mass, 1), levels)
    return levels

"""The exact 2m-cache: all keys and values, in float64 (D3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from kvfloor.errors import InputError
from kvfloor.exact import ExactAttention
from kvfloor.inputs import as_fraction

__all__ = ["ExactCache"]


class ExactCache:
    """Keeps every number it is given: ``64·m·n·(d + d_v)`` bits after n tokens.

    Answers are float64 numbers within one ulp of the true output at scale 1.
    """

    def __init__(self, *, order: int, d: int, d_v: int, seed: int) -> None:
        del seed  # deterministic
        self.order, self.d, self.d_v = order, d, d_v
        self._numbers: list[float] = []

    @classmethod
    def from_state(cls, state: bytes, *, order: int, d: int, d_v: int, seed: int) -> ExactCache:
        """Return the cache that had this state."""
        cache = cls(order=order, d=d, d_v=d_v, seed=seed)
        if len(state) % (8 * cache._width):
            expected = f"tokens of {8 * cache._width} bytes"
            raise InputError("state", expected, f"{len(state)} bytes")
        cache._numbers = list(struct.unpack(f"<{len(state) // 8}d", state))
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or if a number is not a float64: it could not be kept exactly.
        """
        shape = [len(row) for row in keys], [len(row) for row in values]
        if shape != ([self.d] * self.order, [self.d_v] * self.order):
            expected = (
                f"{self.order} keys of {self.d} and {self.order} values of {self.d_v} numbers"
            )
            raise InputError("token", expected, f"{shape[0]} and {shape[1]}")
        self._numbers += [_as_float64(x) for row in (*keys, *values) for x in row]

    def state(self) -> bytes:
        """Return the tokens in order, each as its keys and then its values, little-endian."""
        return struct.pack(f"<{len(self._numbers)}d", *self._numbers)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        keys: list[list[list[float]]] = [[] for _ in range(self.order)]
        values: list[list[list[float]]] = [[] for _ in range(self.order)]
        for start in range(0, len(self._numbers), self._width):
            position = start
            for slots, width in ((keys, self.d), (values, self.d_v)):
                for slot in slots:
                    slot.append(self._numbers[position : position + width])
                    position += width
        return ExactAttention(keys, values)(query).floats()

    @property
    def _width(self) -> int:
        return self.order * (self.d + self.d_v)


def _as_float64(x: Any) -> float:
    exact = as_fraction(x, "token")
    try:
        rounded = float(exact)
    except OverflowError:
        rounded = 0.0
    if rounded != exact:
        raise InputError("token", "numbers that float64 holds exactly", str(exact))
    return rounded

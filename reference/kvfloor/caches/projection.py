"""Keys by a random projection, as Johnson and Lindenstrauss do; values whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kvfloor.caches.coins import signs
from kvfloor.caches.tokens import KeptTokens, Shape, as_token, attend, round_floats, rounded
from kvfloor.numbers import Array, as_count

__all__ = ["ProjectionCache"]


class ProjectionCache:
    """Keeps k numbers of every key and all of every value: ``m·n·(k + d_v)`` numbers.

    Slot r has a k×d matrix S of random signs, which are public coins and so no part of the state.
    It keeps S·key, and answers as if the key were SᵀS·key/k. The mean of that over the coins is the
    key, and the mean of every logit the logit, slots being independent. The state is the tokens in
    order, each as its projected keys and then its values.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    dimensions : int
        k, at least 1.
    dtype : dtype or str
        The format of the numbers kept: one of `FORMATS`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(
        self, *, order: int, d: int, d_v: int, seed: int, dimensions: int, dtype: Any = "float32"
    ) -> None:
        self._shape = Shape(order, d, d_v)
        self._dimensions = as_count(dimensions, "dimensions", 1)
        self._signs = [signs(seed, (self._dimensions, d), (slot,)) for slot in range(order)]
        self._kept = KeptTokens(Shape(order, self._dimensions, d_v), dtype)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> ProjectionCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        cache._kept.read_rest(state)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        exact = as_token(keys, values, self._shape)
        own_keys, own_values = self._shape.split(rounded(exact, self._kept.format))
        projected = [matrix @ key for matrix, key in zip(self._signs, own_keys, strict=True)]
        numbers = np.concatenate([*projected, *own_values])
        self._kept.append(round_floats(numbers, self._kept.format))

    def state(self) -> bytes:
        """Return the projected tokens."""
        return self._kept.data()

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        projected, values = self._kept.slots
        keys = [lifted(x, matrix) for x, matrix in zip(projected, self._signs, strict=True)]
        return attend(keys, values, query, self._shape.d)


def lifted(projected: Array, matrix: Array) -> Array:
    """Return the keys SᵀS·key/k that projections S·key stand for, shape (n, d)."""
    keys: Array = projected @ matrix / len(matrix)
    return keys

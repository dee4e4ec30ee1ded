"""The exact 2m-cache: all keys and values, in float64 (D3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvfloor.caches.tokens import KeptTokens, Shape, as_float64_token

__all__ = ["ExactCache"]


class ExactCache:
    """Keeps every number it is given: ``64·m·n·(d + d_v)`` bits after n tokens.

    Answers are the true outputs at scale 1, correctly rounded to float64. The state is the tokens
    in order, each as its keys and then its values, little-endian.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    """

    def __init__(self, *, order: int, d: int, d_v: int, seed: int) -> None:
        del seed
        self._shape = Shape(order, d, d_v)
        self._kept = KeptTokens(self._shape, "float64")

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> ExactCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        cache._kept.read_rest(state)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or if a number is not a float64: it could not be kept exactly.
        """
        self._kept.append(as_float64_token(keys, values, self._shape))

    def state(self) -> bytes:
        """Return all numbers."""
        return self._kept.data()

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        return self._kept.answer(query)

"""A window with attention sinks, as in StreamingLLM: the first few tokens and the last ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvfloor.caches.tokens import KeptTokens, Shape, rounded_token
from kvfloor.numbers import as_count

__all__ = ["SinkCache"]


class SinkCache:
    """Keeps the first and the last tokens: ``(sinks + window)·m·(d + d_v)`` numbers.

    Answers are attention over these tokens in every slot, correctly rounded to float64. The state
    is the tokens in order, each as its keys and then its values.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    sinks : int
        Tokens kept from the start, at least 0.
    window : int
        Tokens kept from the end, at least 1.
    dtype : dtype or str
        The format of the numbers kept: one of `FORMATS`.

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
        sinks: int = 4,
        window: int,
        dtype: Any = "float32",
    ) -> None:
        del seed
        self._shape = Shape(order, d, d_v)
        self._sinks, self._window = as_count(sinks, "sinks"), as_count(window, "window", 1)
        self._kept = KeptTokens(self._shape, dtype)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> SinkCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        cache._kept.read_rest(state)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token, and forget the one that leaves the window.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        self._kept.append(rounded_token(keys, values, self._shape, self._kept.format))
        if len(self._kept) > self._sinks + self._window:
            self._kept.drop(self._sinks)

    def state(self) -> bytes:
        """Return the tokens kept."""
        return self._kept.data()

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        return self._kept.answer(query)

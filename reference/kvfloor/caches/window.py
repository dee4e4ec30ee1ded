"""A cache of the last W tokens: at the floor for a sliding window, too small without one (T7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvfloor.caches.floor import FloorCache
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues, Token
from kvfloor.numbers import as_count

__all__ = ["WindowCache"]


class WindowCache(FloorCache):
    """Keeps the ``W·d_v`` bits of the last W tokens (T7 `sliding-window`).

    Answers are those of attention restricted to these tokens in every slot: float64 numbers
    within one ulp. Keys are public, so only V_1 is kept.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    family : BinaryValues
        The only inputs it can take; without self token, which a window would have to count.
    window : int
        W, from 1 to the family's n.

    Raises
    ------
    InputError
        If the family has a self token, or the window is out of range.
    """

    def __init__(
        self, *, order: int, d: int, d_v: int, seed: int, family: BinaryValues, window: int
    ) -> None:
        super().__init__(order=order, d=d, d_v=d_v, seed=seed, family=family)
        if family.self_token:
            raise InputError("family", "one without self token", str(family))
        self.window = as_count(window, "window", 1)
        if self.window > family.n:
            raise InputError("window", f"at most n = {family.n}", str(window))

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> WindowCache:
        """Return the cache that had this state after a whole instance."""
        cache = cls(**arguments)
        packed = int.from_bytes(state, "little")
        cache._bits = [packed >> k & 1 for k in range(cache._most)]
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take the next token, and forget the one that leaves the window.

        Raises
        ------
        InputError
            If the value is not of 0 and 1.
        """
        super().append(keys, values)
        self._bits = self._bits[-self._most :]

    def _tokens(self) -> list[Token]:
        forgotten = [0] * (self.family.size - self._most)
        return self.family.encode(forgotten + self._bits)[-self.window :]

    @property
    def _most(self) -> int:
        return self.window * self.family.d_v

"""SubGen on the products of keys and of values (U3 `subgen-two-cache`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kvfloor.caches.coins import Coins
from kvfloor.caches.packing import StateReader, count_bytes
from kvfloor.caches.subgen import SubGen
from kvfloor.caches.tokens import KeptTokens, Shape, round_floats, rounded_token
from kvfloor.caches.two_cache import new_tuples

__all__ = ["SubGen2Cache"]


class SubGen2Cache:
    """Feeds SubGen with the products of all tuples, and keeps the factors for the next token (U3).

    Token i brings i^m - (i-1)^m rows, each the product of its keys with those of tokens before, so
    these must still be there. Beside what `SubGen` keeps that is ``m·n·(d + d_v)`` numbers: the
    state is never smaller than the 2m-cache in the same format. It is n in 64 bits, the tokens in
    order, and the state of `SubGen`. Rows are rounded to the format too.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    delta : number > 0
        The radius of the clusters of product rows.
    t, s, dtype
        As for `SubGen4Cache`.

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
        seed: int | Coins,
        dtype: Any = "float32",
        **options: Any,
    ) -> None:
        self._shape = Shape(order, d, d_v)
        self._factors = KeptTokens(self._shape, dtype)
        self.rows = SubGen(order=1, d=d, d_v=d_v, seed=seed, dtype=dtype, **options)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> SubGen2Cache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader = StateReader(state)
        cache._factors.read(reader, reader.count())
        cache.rows.read(reader)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or a number or product beyond the format.
        """
        factors, source = self._factors, self._factors.format
        factors.append(rounded_token(keys, values, self._shape, source))
        slots = [np.hstack(pair) for pair in zip(*factors.slots, strict=True)]
        for places in new_tuples(len(factors), self._shape.order):
            rows = [slot[place] for slot, place in zip(slots, places, strict=True)]
            self.rows.take(round_floats(np.prod(rows, axis=0), source))

    def state(self) -> bytes:
        """Return the number of tokens, the factors and the state of the rows."""
        return count_bytes(len(self._factors)) + self._factors.data() + self.rows.state()

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the estimated output for a query of shape (d,), shape (d_v,)."""
        return self.rows.answer(query)

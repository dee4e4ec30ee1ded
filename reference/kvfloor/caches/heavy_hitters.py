"""Eviction by accumulated attention, as in H2O: the recent tokens and the heavy hitters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kvfloor.attention import tensor_attention_rounded
from kvfloor.caches.packing import StateReader, number_bytes
from kvfloor.caches.tokens import KeptTokens, Shape, rounded_token
from kvfloor.errors import InputError
from kvfloor.numbers import Array, BinaryFormat, as_count

__all__ = ["HeavyHitterCache"]


class HeavyHitterCache:
    """Keeps the last tokens and, of those before, the ones that drew most attention.

    That is ``(heavy + recent)·(m·(d + d_v) + 1)`` numbers: the tokens and a score each. In decoding
    every token comes with a query, and scores add up the weights that these queries give. Here a
    token comes without one, so **its own key stands in for its query** (at higher order the
    entrywise product of its keys), and queries to be answered leave no trace, since answering
    changes no state. A token's weight is its share in every slot, each rounded to the format, added
    up over the slots. Of equal scores the oldest goes; a score so large that it would round back
    grows no more.

    Answers are attention over the tokens kept, correctly rounded to float64. The state is these
    tokens, each as its keys and then its values, and then the scores.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    heavy : int
        Tokens kept for their scores, at least 0.
    recent : int
        Tokens kept from the end, at least 1.
    dtype : dtype or str
        The format of numbers and scores: one of `FORMATS`.

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
        heavy: int,
        recent: int,
        dtype: Any = "float32",
    ) -> None:
        del seed
        self._shape = Shape(order, d, d_v)
        self._heavy, self._recent = as_count(heavy, "heavy"), as_count(recent, "recent", 1)
        self._kept = KeptTokens(self._shape, dtype)
        self._scores: Array = np.empty(0)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> HeavyHitterCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        kept = cache._kept
        size = (cache._shape.width + 1) * kept.format.dtype.itemsize
        if len(state) % size:
            raise InputError("state", f"tokens of {size} bytes", f"{len(state)} bytes")
        reader, tokens = StateReader(state), len(state) // size
        kept.read(reader, tokens)
        cache._scores = reader.numbers((tokens,), kept.format)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token, add up scores, and forget the lightest token that is not recent.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        kept = self._kept
        kept.append(rounded_token(keys, values, self._shape, kept.format))
        own, _ = kept.slots
        query = np.prod([slot[-1] for slot in own], axis=0)
        scores = np.append(self._scores, 0.0) + attention_shares(own, query, kept.format)
        self._scores = kept.format.round_array(scores)
        if len(kept) > self._heavy + self._recent:
            lightest = int(np.argmin(self._scores[: len(kept) - self._recent]))
            kept.drop(lightest)
            self._scores = np.delete(self._scores, lightest)

    def state(self) -> bytes:
        """Return tokens and scores."""
        return self._kept.data() + number_bytes(self._scores, self._kept.format)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        return self._kept.answer(query)


def attention_shares(keys: list[Array], query: Array, target: BinaryFormat) -> Array:
    """Return how much weight the tuples of each token have, added up over the slots, shape (n,).

    It is attention itself, with a token's indicator as its value; of each slot rounded to a format.
    """
    each, ones = np.eye(len(keys[0])), np.ones((len(keys[0]), len(keys[0])))
    slots = range(len(keys))
    values = [[each if r == slot else ones for r in slots] for slot in slots]
    total = np.zeros(len(keys[0]))
    for v in values:
        total += tensor_attention_rounded(query, keys, v, dtype=target.dtype)
    return total

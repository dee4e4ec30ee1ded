"""The exact two-cache: products of keys and of values, in float64 (D3; T2 `two-cache`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import count, product, starmap
from math import prod
from typing import Any

import numpy as np

from kvfloor.caches.packing import StateReader, number_bytes
from kvfloor.caches.tokens import KeptTokens, Shape, as_float64, as_float64_token, attend
from kvfloor.numbers import Array

__all__ = ["TwoCache", "new_tuples"]


class TwoCache:
    """Keeps the products of all tuples, and the factors: ``64·(n^m + m·n)(d + d_v)`` bits.

    A query is answered from the products alone. The factors are there because the next token's
    products need them: products do not tell how large either factor was. The state is the tokens
    in order, then the rows of products, those of the oldest tokens first.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    """

    def __init__(self, *, order: int, d: int, d_v: int, seed: int) -> None:
        del seed
        self._shape = Shape(order, d, d_v)
        self._factors = KeptTokens(self._shape, "float64")
        self._products: Array = np.empty((0, d + d_v))

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> TwoCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        order, row = cache._shape.order, cache._shape.d + cache._shape.d_v
        tokens = next(n for n in count() if 8 * (n**order + order * n) * row >= len(state))
        reader = StateReader(state)
        cache._factors.read(reader, tokens)
        cache._products = reader.numbers((tokens**order, row), cache._factors.format)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or if a number or a product is not a float64.
        """
        factors = KeptTokens(self._shape, "float64")
        factors.rows = self._factors.rows
        factors.append(as_float64_token(keys, values, self._shape))
        rows = [as_float64(row, "numbers whose products are such") for row in exact_rows(factors)]
        self._factors, self._products = factors, np.vstack([self._products, *rows])

    def state(self) -> bytes:
        """Return factors and products."""
        return self._factors.data() + number_bytes(self._products, self._factors.format)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,), correctly rounded."""
        keys, values = np.split(self._products, [self._shape.d], axis=1)
        return attend([keys], [values], query, self._shape.d)


def new_tuples(tokens: int, order: int) -> Iterator[tuple[int, ...]]:
    """Yield the tuples of that many tokens that the last one is part of, in order."""
    last = tokens - 1
    if order > 1:
        for first in range(last):
            for rest in new_tuples(tokens, order - 1):
                yield first, *rest
    for rest in product(range(tokens), repeat=order - 1):
        yield last, *rest


def exact_rows(tokens: KeptTokens) -> Iterator[list[Fraction]]:
    """Yield the products, keys and then values, of the tuples that the last token is part of."""
    slots = [np.hstack(pair).tolist() for pair in zip(*tokens.slots, strict=True)]
    exact = cache(lambda slot, place: [*map(Fraction, slots[slot][place])])
    for places in new_tuples(len(tokens), tokens.shape.order):
        rows = starmap(exact, enumerate(places))
        yield [prod(column, start=Fraction(1)) for column in zip(*rows, strict=True)]

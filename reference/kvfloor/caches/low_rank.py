"""Keys and values by matrices of low rank, renewed by the SVD with every token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kvfloor.caches.packing import StateReader, count_bytes, number_bytes
from kvfloor.caches.tokens import Shape, attend, round_floats, rounded_token
from kvfloor.numbers import Array, BinaryFormat, as_count, as_format

__all__ = ["LowRankCache"]


class Factors(NamedTuple):
    """A matrix as a product, shapes (n, k) and (k, columns)."""

    left: Array
    right: Array


class LowRankCache:
    """Keeps each of the 2m matrices as a product of rank k: ``m·k·(2n + d + d_v)`` numbers.

    k is the lesser of ``rank``, n and the columns. A new token is put below the product of its
    matrix, and the best approximation of rank k to both, by the SVD, is rounded and kept. The state
    is n in 64 bits, and then the factors, left and right, of K_1 … K_m and V_1 … V_m. Answers are
    attention over the products, correctly rounded to float64.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    rank : int
        At least 1.
    dtype : dtype or str
        The format of the numbers kept: one of `FORMATS`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(
        self, *, order: int, d: int, d_v: int, seed: int, rank: int, dtype: Any = "float32"
    ) -> None:
        del seed
        self._shape = Shape(order, d, d_v)
        self._rank, self._format = as_count(rank, "rank", 1), as_format(dtype)
        self._columns = [d] * order + [d_v] * order
        self._matrices = [Factors(np.empty((0, 0)), np.empty((0, w))) for w in self._columns]

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> LowRankCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader = StateReader(state)
        tokens = reader.count()
        for place, columns in enumerate(cache._columns):
            rank = min(cache._rank, tokens, columns)
            left = reader.numbers((tokens, rank), cache._format)
            right = reader.numbers((rank, columns), cache._format)
            cache._matrices[place] = Factors(left, right)
        reader.end()
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        token = rounded_token(keys, values, self._shape, self._format)
        own_keys, own_values = self._shape.split(token)
        self._matrices = [
            factored(np.vstack([kept.left @ kept.right, row]), self._rank, self._format)
            for kept, row in zip(self._matrices, [*own_keys, *own_values], strict=True)
        ]

    def state(self) -> bytes:
        """Return the number of tokens and all factors."""
        factors = (part for factors in self._matrices for part in factors)
        tokens = len(self._matrices[0].left)
        return count_bytes(tokens) + b"".join(number_bytes(part, self._format) for part in factors)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        products = [kept.left @ kept.right for kept in self._matrices]
        order = self._shape.order
        return attend(products[:order], products[order:], query, self._shape.d)


def factored(matrix: Array, rank: int, target: BinaryFormat) -> Factors:
    """Return the best approximation of at most a rank, as factors of equal size, rounded.

    Raises
    ------
    InputError
        If a factor is beyond the format.
    """
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    roots = np.sqrt(sizes[:rank])
    return Factors(
        round_floats(left[:, :rank] * roots, target),
        round_floats(roots[:, np.newaxis] * right[:rank], target),
    )

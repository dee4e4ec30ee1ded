"""Half of a batch of tokens for all of it, by a balancing walk, level upon level: BalanceKV."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.caches.coins import Coins, as_coins
from kvfloor.caches.packing import StateReader, count_bytes
from kvfloor.caches.tokens import KeptTokens, Shape, attend, rounded_token
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count, as_positive

__all__ = ["BalancedCache", "balanced"]

Signs = npt.NDArray[np.bool_]


class BalancedCache:
    """Keeps new tokens whole, and of older ones a half, a quarter and so on, counted more often.

    This is BalanceKV (arXiv:2502.07861). When a level has t tokens, one of every two goes up a
    level, and counts twice as often; `balanced` chooses, so that what is kept and what is not have
    nearly the same sum of ``exp⟨q, k⟩·v`` for every query. The last level keeps all that come.
    Answers are attention over what is kept, a token of level l counted 2^l times, correctly rounded
    to float64.

    Its authors promise ``‖o - out‖₂ ≤ ε·‖weights‖₂·‖V‖_F`` but for a small probability, at scale
    1/√d, with batches that grow as 1/ε times powers of logarithms, values in buckets by their norm,
    and other samples for the normaliser. They name no constants, so nothing here is held to it.
    Here there are no buckets, one set of samples, and halves are halves: the authors' walk gives
    each token a sign, and keeps those of the sign that fewer have, be they none.

    The state is the number of tokens in 64 bits, and the tokens from the first level to the last.
    The coins are public.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; the order is 1. In place of the seed may stand `Coins`.
    batch : int
        t, an even number.
    levels : int
        Levels above the first, at least 1. Of n tokens about ``n/2^levels + levels·t/2`` are left.
    width : number > 0
        c, of the walk: see `balanced`. The authors' proof takes 30·ln(t/δ), at which the choice in
        a batch of hundreds is nearly random.
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
        seed: Any,
        batch: int = 64,
        levels: int = 1,
        width: Any = 1,
        dtype: Any = "float16",
    ) -> None:
        if order != 1:
            raise InputError("order", "1", str(order))
        self._shape, self._coins = Shape(order, d, d_v), as_coins(seed)
        self._batch, self._tokens = as_count(batch, "batch", 2), 0
        if self._batch % 2:
            raise InputError("batch", "an even number", str(batch))
        self._width = float(as_positive(width, "width"))
        above = as_count(levels, "levels", 1)
        self._levels = [KeptTokens(self._shape, dtype) for _ in range(above + 1)]

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> BalancedCache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        reader = StateReader(state)
        cache._tokens = reader.count()
        for level, count in zip(cache._levels, cache._lengths(), strict=True):
            level.read(reader, count)
        reader.end()
        return cache

    def _lengths(self) -> list[int]:
        """Tokens in each level, after as many as there were."""
        batches, first = divmod(self._tokens, self._batch)
        last = len(self._levels) - 2
        halves = [batches >> place & 1 for place in range(last)]
        return [first, *(self._batch // 2 * half for half in (*halves, batches >> last))]

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token, and halve the levels that are full.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        first = self._levels[0]
        first.append(rounded_token(keys, values, self._shape, first.format))
        self._tokens += 1
        for place, level in enumerate(self._levels[:-1]):
            if len(level) >= self._batch:
                self._halve(place)

    def _halve(self, place: int) -> None:
        """Move one of every two tokens up from a level, and forget the other."""
        level, above = self._levels[place : place + 2]
        (keys,), (values,) = level.slots
        first = balanced(keys, values, self._width, self._coins, (self._tokens, place))
        for pair, kept in zip(level.rows.reshape(-1, 2, self._shape.width), first, strict=True):
            above.append(pair[0 if kept else 1])
        self._levels[place] = KeptTokens(self._shape, level.format.name)

    def state(self) -> bytes:
        """Return the number of tokens, and the tokens."""
        return count_bytes(self._tokens) + b"".join(level.data() for level in self._levels)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        rows = [np.tile(level.rows, (2**k, 1)) for k, level in enumerate(self._levels)]
        return attend(*self._shape.split(np.vstack(rows)), query, self._shape.d)


def balanced(
    keys: Array, values: Array, width: float, coins: Coins, place: tuple[int, ...]
) -> Signs:
    """Return of which pairs of tokens the first is kept, as a self-balancing walk chooses.

    Tokens are tensors of values with what exp expands to, so that
    ``⟨x_i, x_j⟩ = exp⟨k_i, k_j⟩·⟨v_i, v_j⟩`` and nothing has to be expanded. The walk goes the
    difference y of a pair forth or back: forth with probability ``1/2 - ⟨where it is, y⟩/(2c·r)``,
    and surely one of them beyond 0 and 1, where r is the largest ‖y‖² of the batch. It ends near
    where it began, which is to say that the tokens that are kept have nearly the sum of the others.

    Parameters
    ----------
    keys, values : ndarray, shapes (t, d) and (t, d_v)
    width : float
        c.
    coins : Coins
    place : tuple of int
        Of the coins.
    """
    logits = keys @ keys.T
    products = np.exp(logits - logits.max()) * (values @ values.T)
    rows = products[::2] - products[1::2]
    steps = rows[:, ::2] - rows[:, 1::2]  # inner products of the differences
    bound = 2 * width * steps.diagonal().max()
    forth = np.zeros(len(steps), dtype=np.bool_)
    for j, row in enumerate(steps):
        drift = row[:j] @ np.where(forth[:j], 1.0, -1.0)
        chance = 0.5 - drift / bound if bound else 0.5
        share = Fraction(min(1.0, max(0.0, float(chance))))
        (forth[j],) = coins.flips(share, 1, (*place, j))
    return forth

"""What the tokens of one slot weigh for queries, whatever the values are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from flint import arb, arb_mat

from kvfloor.attention.enclosure import as_ball, as_balls, exponentials, logit_bits
from kvfloor.attention.grouping import row_products
from kvfloor.attention.inputs import Mask, as_problem, listed
from kvfloor.attention.terms import NO_TERMS
from kvfloor.errors import InputError
from kvfloor.numbers import Array, arb_precision, as_count, is_array, shown, to_fmpq

__all__ = ["TokenWeights"]


class TokenWeights:
    """Weights of the tokens of one slot: those of their tuples, summed over all other slots.

    With ones as the values of the other slots, the output is the mean of this slot's values by
    these weights.

    Parameters
    ----------
    query : array, shape (..., d)
        Queries.
    keys : sequence of m arrays
        ``keys[r]`` has shape (n_r, d).
    slot : int
        Whose tokens.
    scale, mask
        As for `tensor_attention_rounded`.

    Attributes
    ----------
    queries : ndarray, shape (b, d)
        As they were read.
    keys : tuple of ndarray
    scale : Scale
    slot : int

    Raises
    ------
    InputError
        As `tensor_attention_rounded` does, and for a row without a tuple.
    """

    def __init__(
        self, query: Any, keys: Any, *, slot: int = 0, scale: Any = 1, mask: Any = None
    ) -> None:
        slots = listed(keys, "keys")
        ones = [np.ones((_tokens(K_r, f"keys[{r}]"), 1)) for r, K_r in enumerate(slots)]
        self._problem, _ = as_problem(query, slots, ones, scale, mask, NO_TERMS)
        self.queries, self.keys, self.scale = self._problem[0], self._problem[1], self._problem[3]
        self.slot = as_count(slot, "slot")
        if self.slot >= len(self.keys):
            raise InputError("slot", f"one of {len(self.keys)} slots, from 0", shown(slot))
        if len(self._problem.answered()) < len(self.queries):
            raise InputError("mask", "at least one tuple in each row", "a row without any")

    @property
    def tokens(self) -> int:
        """How many tokens the slot has."""
        return len(self.keys[self.slot])

    def seen(self, query: int) -> Mask:
        """Return which tuples a query sees, in C order."""
        mask = self._problem.row(query).mask
        lengths = tuple(map(len, self.keys))
        return np.ravel(np.ones(lengths, dtype=np.bool_) if mask is None else mask)

    def logit_bits(self, queries: Sequence[int]) -> int:
        """Return how many bits stand before the point of the largest logit of some queries."""
        return max(
            (logit_bits(self.queries[b], self.keys, self.scale, NO_TERMS) for b in queries),
            default=0,
        )

    def plain(self) -> Array:
        """Return all weights as float64 without a radius, shape (b, n): for searches only.

        Raises
        ------
        InputError
            If a logit is too large for a float64.
        """
        *others, last = (np.asarray(K_r, dtype=np.float64) for K_r in self._slot_last())
        rows = reduce(
            lambda A, B: (A[:, None] * B[None]).reshape(-1, B.shape[1]),
            others,
            np.ones((1, last.shape[1])),
        )
        factor = float(self.scale.factor) * self.scale.root**0.5
        found = np.empty((len(self.queries), self.tokens))
        for b, query in enumerate(np.asarray(self.queries, dtype=np.float64)):
            with np.errstate(over="ignore", invalid="ignore"):
                logits = (rows * (query * factor)) @ last.T
            if not np.isfinite(logits).all():
                raise InputError("keys", "logits that float64 holds", "larger ones")
            kept = self._kept(b)
            if kept is not None:
                logits[~kept.reshape(logits.shape)] = -np.inf
            weights = np.exp(logits - logits.max())
            found[b] = weights.sum(axis=0) / weights.sum()
        return found

    def enclose(
        self, queries: Sequence[int], tokens: Sequence[int], *, bits: int = 64
    ) -> list[list[arb]]:
        """Return the weights of some tokens for some queries in balls, a row for each query.

        Parameters
        ----------
        queries, tokens : sequences of int
        bits : int
            The relative accuracy aimed at. Whatever is reached, the radii are right.

        Notes
        -----
        D1 `tensor-attention`. Cost: a product with all keys for each query, and an exponential for
        each tuple.
        """
        tuples = prod(map(len, self.keys))
        with arb_precision(bits + self.logit_bits(queries) + tuples.bit_length() + 16):
            *others, last = (as_balls(K_r) for K_r in self._slot_last())
            factor = arb(to_fmpq(self.scale.factor)) * arb(self.scale.root).sqrt()
            columns = arb_mat(last).transpose()
            rows = row_products(others, [factor] * columns.nrows())
            return [self._enclosed(b, rows, columns, tokens) for b in queries]

    def _enclosed(
        self, query: int, rows: list[list[arb]], columns: arb_mat, tokens: Sequence[int]
    ) -> list[arb]:
        q = [as_ball(x) for x in self.queries[query].tolist()]
        scaled = [[x * y for x, y in zip(row, q, strict=True)] for row in rows]
        logits = (arb_mat(scaled) * columns).entries()
        weights, total, _ = exponentials(logits, self._kept(query), [])
        return [sum(weights[token :: self.tokens], arb(0)) / total for token in tokens]

    def _slot_last(self) -> tuple[Array, ...]:
        """The keys with those of the slot as the last ones."""
        return (*self.keys[: self.slot], *self.keys[self.slot + 1 :], self.keys[self.slot])

    def _kept(self, query: int) -> Mask | None:
        """Which tuples a query sees, in C order with the slot's axis as the last one."""
        mask = self._problem.row(query).mask
        return None if mask is None else np.ravel(np.moveaxis(mask, self.slot, -1))


def _tokens(K_r: Any, argument: str) -> int:
    try:
        return int(K_r.shape[0]) if is_array(K_r) and len(K_r.shape) == 2 else len(K_r)
    except TypeError:
        raise InputError(argument, "a two-dimensional array", shown(K_r)) from None

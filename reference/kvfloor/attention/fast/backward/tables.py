"""Sums over tuples that make up the gradients, as tables: of queries and of each slot.

Tuples are seen as `Prepared` sees them: rows i, of the first m - 1 slots, and columns j, of the
last. U and W are the products of the rows' keys and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from kvfloor.attention.fast.arithmetic import Float, Pair, halved, multiply

__all__ = ["BLOCK", "Factors", "Tables", "on_slots", "sizes_on_slots", "slot_additions"]

BLOCK = 256  # columns that a product of matrices adds at a time


@dataclass(frozen=True, eq=False)
class Factors:
    """What weights and gradients of logits are multiplied with.

    Attributes
    ----------
    queries, output : ndarray, shapes (b, d) and (b, d_v)
    rows : pair of ndarrays, shapes (R, d) and (R, d_v)
        U and W.
    last : pair of ndarrays, shapes (n_m, d) and (n_m, d_v)
    several : bool
        Whether there is another slot than the last.
    """

    queries: Float
    output: Float
    rows: Pair
    last: Pair
    several: bool

    def sizes(self) -> Factors:
        """Return the absolute values."""
        (U, W), (K, V) = self.rows, self.last
        return Factors(
            np.abs(self.queries),
            np.abs(self.output),
            (np.abs(U), np.abs(W)),
            (np.abs(K), np.abs(V)),
            self.several,
        )


@dataclass(frozen=True, eq=False)
class Tables:
    """Running sums; ``rows`` is for the first m - 1 slots together, None at order 1.

    Attributes
    ----------
    query : ndarray, shape (b, d)
    keys, values : ndarray, shapes (n_m, d) and (n_m, d_v)
    row_keys, row_values : ndarray, shapes (R, d) and (R, d_v)
    """

    query: Float
    keys: Float
    values: Float
    row_keys: Float
    row_values: Float

    @classmethod
    def of(cls, factors: Factors) -> Tables:
        """Return zeros."""
        like = factors.queries, *factors.last, *factors.rows
        return cls(*(np.zeros(table.shape) for table in like))

    def add(self, factors: Factors, q: slice, columns: slice, dZ: Float, p: Float) -> None:
        """Add what gradients of logits and weights give, shape (queries, rows, columns)."""
        (U, W), (K, V) = factors.rows, (table[columns] for table in factors.last)
        Q, G = factors.queries[q], factors.output[q]
        lines = len(Q) * len(U)
        X = blockwise(dZ.reshape(lines, -1), K).reshape(len(Q), len(U), -1)
        self.query[q] += np.einsum("qic,ic->qc", X, U)
        self.keys[columns] += np.matmul(dZ.reshape(lines, -1).T, _lines(Q, U))
        self.values[columns] += np.matmul(p.reshape(lines, -1).T, _lines(G, W))
        if factors.several:
            Y = blockwise(p.reshape(lines, -1), V).reshape(len(Q), len(U), -1)
            self.row_keys[...] += np.einsum("qc,qic->ic", Q, X)
            self.row_values[...] += np.einsum("qc,qic->ic", G, Y)


def blockwise(weights: Float, table: Float) -> Float:
    """Return weights·table; no more than `BLOCK` terms are added at a time."""
    found = np.zeros((len(weights), table.shape[1]))
    for i in range(0, len(table), BLOCK):
        found += np.matmul(weights[:, i : i + BLOCK], table[i : i + BLOCK])
    return found


def _lines(each: Float, rows: Float) -> Float:
    """Products of what each query has and what each row has, a line for both."""
    if len(rows) == 1:
        return each * rows
    return np.asarray(each[:, None] * rows).reshape(-1, rows.shape[1])


def on_slots(slots: tuple[Float, ...], rows: Pair) -> list[Pair]:
    """Turn gradients of U (or W) into those of the first m - 1 slots, in double-double."""
    *first, _ = slots
    found = []
    for r, others, axes in _without(first):
        terms = rows
        for factor in others:
            terms = multiply(terms, (factor, np.zeros_like(factor)))
        hi, lo = (_moved(part, axes, r) for part in terms)
        found.append(halved((hi, lo)))
    return found


def sizes_on_slots(slots: tuple[Float, ...], rows: Float) -> list[Float]:
    """The same for bounds."""
    *first, _ = slots
    found = []
    for r, others, axes in _without(first):
        terms = rows
        for factor in others:
            terms = terms * np.abs(factor)
        found.append(_moved(terms, axes, r).sum(axis=-1))
    return found


def slot_additions(lengths: tuple[int, ...]) -> int:
    """Additions that a term passes in `on_slots`."""
    *first, _ = lengths
    return max(((prod(first) // n - 1).bit_length() for n in first), default=0)


def _without(first: list[Float]) -> Iterator[tuple[int, list[Float], tuple[int, ...]]]:
    """Each of the slots, what stands in every row for the others, and the lengths of all."""
    axes = tuple(map(len, first))
    places = np.indices(axes).reshape(len(axes), prod(axes))
    for r in range(len(first)):
        yield r, [K[places[s]] for s, K in enumerate(first) if s != r], axes


def _moved(rows: Float, axes: tuple[int, ...], r: int) -> Float:
    """Rows as (n_r, width, all others)."""
    parted = np.moveaxis(rows.reshape(*axes, rows.shape[1]), r, 0)
    return parted.reshape(axes[r], -1, rows.shape[1]).swapaxes(1, 2)

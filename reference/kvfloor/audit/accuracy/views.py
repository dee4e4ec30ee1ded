"""What a cache answered to an instance, in float64: what a hypothesis about it has to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from kvfloor.audit.accuracy.instance import Instance, Row
from kvfloor.numbers import Array

__all__ = ["View", "exponentials", "mean_of", "products_of"]

EXPLAINED = 0.2  # what may be left of the largest error, or of α·B if no error is as large
HARDEST = 8  # queries, and columns, that are looked at first where there are many


@dataclass(frozen=True)
class View:
    """Tokens, queries, and what came back.

    Attributes
    ----------
    keys, values : list of m arrays of shape (n, d) and (n, d_v)
    queries : array, shape (queries, d)
    came : array, shape (queries, d_v)
        The answers.
    allowed : float
        What the guarantee allows an answer to be off, α·B.
    """

    keys: list[Array]
    values: list[Array]
    queries: Array
    came: Array
    allowed: float

    @classmethod
    def of(
        cls,
        instance: Instance,
        queries: Sequence[Row],
        answers: Sequence[Sequence[Fraction]],
        alpha: Fraction,
    ) -> View:
        """Return the view of an instance, the queries that were asked, and their answers."""
        keys, values = ([np.array(rows) for rows in slots] for slots in instance.slots)
        came = np.array([[float(x) for x in row] for row in answers])
        asked = np.array(queries, dtype=float)
        return cls(keys, values, asked, came, float(alpha * instance.bound))

    @property
    def count(self) -> int:
        """Tokens."""
        return len(self.keys[0])

    @cached_property
    def logits(self) -> Array:
        """The logits of all tuples, shape (queries, tuples)."""
        return np.asarray(self.queries @ products_of(self.keys).T)

    @cached_property
    def weights(self) -> Array:
        """Their weights, up to a factor for each query."""
        return exponentials(self.logits)

    @cached_property
    def products(self) -> Array:
        """The products of the values of all tuples, shape (tuples, d_v)."""
        return products_of(self.values)

    @cached_property
    def right(self) -> Array:
        """The outputs."""
        return mean_of(self.weights, self.products)

    @property
    def wrong(self) -> float:
        """The largest error of an answer."""
        return float(np.abs(self.came - self.right).max())

    @cached_property
    def close(self) -> float:
        """What an explanation may leave of any number of the answers."""
        return EXPLAINED * max(self.wrong, self.allowed) or 1.0

    def left(self, predicted: Array) -> float:
        """What a prediction leaves of the answers, in units of `close`."""
        return float(np.abs(self.came - predicted).max()) / self.close

    def output(
        self, keys: Sequence[Array] | None = None, values: Sequence[Array] | None = None
    ) -> Array:
        """The outputs for other keys, or other values."""
        weights = self.weights
        if keys is not None:
            weights = exponentials(self.queries @ products_of(keys).T)
        return mean_of(weights, self.products if values is None else products_of(values))

    def hardest(self) -> View:
        """The queries whose answers are furthest off, if there are many tokens."""
        if self.weights.size <= HARDEST * 2**HARDEST:
            return self
        errors = np.abs(self.came - self.right).max(axis=1)
        rows = np.sort(np.argsort(-errors, kind="stable")[:HARDEST])
        return replace(self, queries=self.queries[rows], came=self.came[rows])

    def narrow(self) -> View:
        """The columns in which answers are furthest off."""
        errors = np.abs(self.came - self.right).max(axis=0)
        columns = np.sort(np.argsort(-errors, kind="stable")[:HARDEST])
        values = [slot[:, columns] for slot in self.values]
        return replace(self, values=values, came=self.came[:, columns])


def exponentials(logits: Array) -> Array:
    """The weights of logits, up to a factor for each query."""
    return np.asarray(np.exp(logits - logits.max(axis=1, keepdims=True)))


def mean_of(weights: Array, rows: Array) -> Array:
    """The mean of rows, weighted for each query; zeros where nothing has weight."""
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights @ rows / np.where(total, total, 1))


def products_of(slots: Sequence[Array]) -> Array:
    """The entrywise products of a row of each slot, for all tuples."""
    rows = slots[0]
    for slot in slots[1:]:
        rows = (rows[:, np.newaxis, :] * slot[np.newaxis]).reshape(-1, rows.shape[1])
    return rows

"""Level (b) of the backward pass for a few gradients, each from the tuples it sums over.

Weights and gradients of logits are those of level (b); what they are multiplied with is not cut
into slices, so that a gradient costs as many operations in pairs as it has terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import UNIT, Float, Pair, halved, multiply, pair_sum
from kvfloor.attention.fast.backward.operands import Operands
from kvfloor.attention.fast.backward.pairs import Accuracy, Pairs, Part
from kvfloor.attention.fast.tiling import slices
from kvfloor.attention.fast.totals import INFLATION, TINY, Balls

__all__ = ["Places", "evaluate_gradients_at"]

_ELEMENTS = 2**18  # terms kept at a time, 8 bytes each

Indices = npt.NDArray[np.intp]


class Places(NamedTuple):
    """Rows and columns of some entries of a table, one array each."""

    rows: Indices
    columns: Indices


class _Sums(NamedTuple):
    """Sums for some entries of a table: in double-double, and of errors."""

    hi: Float
    lo: Float
    error: Float

    @classmethod
    def of(cls, places: Places) -> _Sums:
        return cls(*np.zeros((3, len(places.rows))))

    def add(self, which: Indices, terms: Pair, errors: Float) -> None:
        """Add sums of terms, a row for each of some entries."""
        hi, lo = pair_sum((self.hi[which], self.lo[which]), halved(terms))
        self.hi[which], self.lo[which] = hi, lo
        self.error[which] += errors.sum(axis=1)


def evaluate_gradients_at(
    operands: Operands, places: Sequence[Places], accuracy: Accuracy = "plain"
) -> list[Balls]:
    """Enclose some gradients.

    Parameters
    ----------
    operands : Operands
        As for `evaluate_gradients_double`.
    places : 2·m + 1 of Places
        Entries of the gradients of queries, and of the keys and the values of each slot.
    accuracy : "coarse", "plain" or "fine"
        Coarse is good enough for float32, fine costs more than plain.

    Returns
    -------
    list of 2·m + 1 Balls
        Of one axis. The bounds are those of `evaluate_gradients_double` but for what products of
        slices lose.
    """
    with np.errstate(all="ignore"):
        return _Level(operands, accuracy).evaluate(places)


class _Level(Pairs):
    """One evaluation."""

    def evaluate(self, places: Sequence[Places]) -> list[Balls]:
        """Enclose the gradients at some places."""
        m, rows = len(self.prepared.key_slots), places[0].rows
        sums = [_Sums.of(some) for some in places]
        only = not any(len(some.rows) for some in places[1:])
        for q in self.blocks:
            columns = self.operands.columns(q)
            which = np.flatnonzero((rows >= q.start) & (rows < q.stop))
            if columns.start == columns.stop or (only and not len(which)):
                continue
            part = Part(self, q, columns)
            own, both = part.errors(self._operations)
            both = part.errors_of_inner(both)
            self._add_queries(sums[0], which, places[0], part, both)
            for first, kind in (
                (1, self._of_keys(part, both)),
                (m + 1, self._of_values(part, own)),
            ):
                for r in range(first, first + m):
                    kind.add(sums[r], places[r], r - first)
        return self._enclosed(places, sums)

    def _add_queries(
        self, sums: _Sums, which: Indices, places: Places, part: Part, errors: Float
    ) -> None:
        """Σ_ij dz_ij·U_i·K_j for some entries."""
        K, (U, U_lo) = self.factors.last[0][part.columns], self.U
        for some in _chunks(which, part.shape[1] * part.shape[2]):
            b, c = places.rows[some] - part.q.start, places.columns[some]
            right = np.ascontiguousarray(K.T[c])
            x = part.inner[0][b], part.inner[1][b]
            X = halved(multiply(x, _exact(right[:, None])))
            X = multiply(X, (np.ascontiguousarray(U.T[c]), np.ascontiguousarray(U_lo.T[c])))
            terms = multiply(X, (part.inverse[0][b, None], part.inverse[1][b, None]))
            size = np.einsum("kij,kj->ki", errors[b], np.abs(right)) * np.abs(U.T[c])
            sums.add(some, terms, size)

    def _of_keys(self, part: Part, errors: Float) -> _Kind:
        """What gives the gradients of keys."""
        K, Q = self.prepared.keys, self.factors.queries[part.q]
        return _Kind(part, part.inner, errors, Q, self.U, K)

    def _of_values(self, part: Part, errors: Float) -> _Kind:
        """What gives the gradients of values."""
        V, G = self.prepared.values, self.factors.output[part.q]
        return _Kind(part, part.weights, errors, G, self.W, V)

    @property
    def _operations(self) -> int:
        """Relative errors of what follows weights and gradients of logits, in units of u²."""
        rows, columns = self.prepared.shape
        halves = columns.bit_length() + (rows * self.most).bit_length() + len(self.blocks)
        return 4 * (halves + 1) + 9 * (2 * len(self.prepared.key_slots) + 4)

    def _enclosed(self, places: Sequence[Places], sums: Sequence[_Sums]) -> list[Balls]:
        """Enclose them in the units of what was given."""
        tables = [(some.hi, some.lo) for some in sums]
        radii = [(some.error + 10 * UNIT**2 * np.abs(some.hi)) * INFLATION + TINY for some in sums]
        return self.operands.enclosed_at(tables, radii, places)


class _Kind(NamedTuple):
    """What gives the gradients of keys, or of values, of some queries.

    Attributes
    ----------
    part : Part
    tuples : pair of arrays, shape (queries, rows, columns)
        Gradients of logits, or weights.
    errors : ndarray, likewise
        Over the sums of the weights.
    left : ndarray, shape (queries, width)
        Queries, or cotangents.
    rows : pair of arrays, shape (R, width)
        U or W.
    slots : tuple of m arrays
        Keys, or values.
    """

    part: Part
    tuples: Pair
    errors: Float
    left: Float
    rows: Pair
    slots: tuple[Float, ...]

    def add(self, sums: _Sums, places: Places, r: int) -> None:
        """Add what these queries give some entries of slot r."""
        if len(places.rows) and r == len(self.slots) - 1:
            self._add_last(sums, places)
        elif len(places.rows):
            self._add_first(sums, places, r)

    def _add_last(self, sums: _Sums, places: Places) -> None:
        columns = self.part.columns
        inside = (places.rows >= columns.start) & (places.rows < columns.stop)
        for some in _chunks(np.flatnonzero(inside), self.part.lines):
            j, c = places.rows[some] - columns.start, places.columns[some]
            x, left = _columns(self.tuples, j), self._left(c)
            lines = multiply(left, (self.rows[0].T[c, None], self.rows[1].T[c, None]))
            size = np.moveaxis(self.errors[:, :, j], 2, 0) * np.abs(self.left.T[c, :, None])
            size *= np.abs(self.rows[0].T[c, None])
            sums.add(some, _flat(multiply(x, lines)), size.reshape(len(some), -1))

    def _add_first(self, sums: _Sums, places: Places, r: int) -> None:
        lengths = tuple(map(len, self.slots[:-1]))
        lines = np.moveaxis(np.arange(prod(lengths)).reshape(lengths), r, 0).reshape(lengths[r], -1)
        right = self.slots[-1][self.part.columns]
        elements = self.part.count * lines.shape[1] * self.part.shape[2]
        for some in _chunks(np.arange(len(places.rows)), elements):
            c, at = places.columns[some], lines[places.rows[some]]
            last = np.ascontiguousarray(right.T[c])
            x = self.tuples[0][:, at], self.tuples[1][:, at]  # queries, entries, lines, columns
            hi, lo = halved(multiply(x, _exact(last[:, None])))
            X = multiply((np.moveaxis(hi, 0, 1), np.moveaxis(lo, 0, 1)), self._left(c))
            size = np.einsum("qkij,kj->kqi", self.errors[:, at], np.abs(last))
            size *= np.abs(self.left.T[c, :, None])
            for s, tokens in enumerate(np.unravel_index(at, lengths)):
                if s != r:
                    factor = self.slots[s][tokens, c[:, None]][:, None]
                    X, size = multiply(X, _exact(factor)), size * np.abs(factor)
            sums.add(some, _flat(X), size.reshape(len(some), -1))

    def _left(self, columns: Indices) -> Pair:
        """Columns of the left side over the sums of the weights, shape (entries, queries, 1)."""
        inverse = self.part.inverse[0][None, :, None], self.part.inverse[1][None, :, None]
        return multiply(_exact(self.left.T[columns, :, None]), inverse)


def _chunks(which: Indices, elements: int) -> Iterator[Indices]:
    """Cut entries so that about `_ELEMENTS` terms come together."""
    for part in slices(len(which), max(1, _ELEMENTS // elements)):
        yield which[part]


def _exact(x: Float) -> Pair:
    return x, np.zeros_like(x)


def _columns(x: Pair, j: Indices) -> Pair:
    """Some columns of all queries and rows, shape (entries, queries, rows)."""
    return np.moveaxis(x[0][:, :, j], 2, 0), np.moveaxis(x[1][:, :, j], 2, 0)


def _flat(x: Pair) -> Pair:
    """Terms, a row for each entry."""
    return x[0].reshape(len(x[0]), -1), x[1].reshape(len(x[1]), -1)

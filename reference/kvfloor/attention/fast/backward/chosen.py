"""Level (b) of the backward pass at order 1 for a few gradients, each from its own row or column.

Weights and gradients of logits are those of level (b); what they are multiplied with is not cut
into slices, so that a gradient costs as many operations as there are tokens, or queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import UNIT, Float, Pair, multiply
from kvfloor.attention.fast.backward.operands import Operands
from kvfloor.attention.fast.backward.pairs import Pairs, Part
from kvfloor.attention.fast.backward.tables import halved, pair_sum
from kvfloor.attention.fast.totals import INFLATION, TINY, Balls

__all__ = ["Places", "evaluate_gradients_at"]


class Places(NamedTuple):
    """Rows and columns of some entries of a table, one array each."""

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]


class _Sums(NamedTuple):
    """Sums for some entries of a table: in double-double, and of errors."""

    hi: Float
    lo: Float
    error: Float

    @classmethod
    def of(cls, places: Places) -> _Sums:
        return cls(*np.zeros((3, len(places.rows))))

    def add(self, which: npt.NDArray[np.intp], terms: Pair, errors: Float) -> None:
        """Add sums of terms, a row for each of some entries."""
        hi, lo = pair_sum((self.hi[which], self.lo[which]), halved(terms))
        self.hi[which], self.lo[which] = hi, lo
        self.error[which] += errors.sum(axis=1)


def evaluate_gradients_at(operands: Operands, places: Sequence[Places]) -> list[Balls]:
    """Enclose some gradients of order 1.

    Parameters
    ----------
    operands : Operands
        As for `evaluate_gradients_double`.
    places : 3 of Places
        Entries of the gradients of queries, keys and values.

    Returns
    -------
    list of 3 Balls
        Of one axis. The radii are no larger than those of `evaluate_gradients_double`, for which
        the bounds are the same but for products of slices.
    """
    with np.errstate(all="ignore"):
        return _Level(operands).evaluate(places)


class _Level(Pairs):
    """One evaluation."""

    def evaluate(self, places: Sequence[Places]) -> list[Balls]:
        """Enclose the gradients at some places."""
        query, keys, values = places
        sums = [_Sums.of(some) for some in places]
        for q in self.blocks:
            columns = self.operands.columns(q)
            rows = np.flatnonzero((query.rows >= q.start) & (query.rows < q.stop))
            seen = [
                np.flatnonzero((some.rows >= columns.start) & (some.rows < columns.stop))
                for some in (keys, values)
            ]
            if columns.start == columns.stop or not (len(rows) or any(map(len, seen))):
                continue
            part = Part(self, q, columns)
            errors = part.errors(self._operations)
            inverse = part.inverse[0][:, None], part.inverse[1][:, None]
            if len(rows):
                self._add_queries(sums[0], rows, query, part, errors[1])
            tables = (part.gradients, self.factors.queries), (part.weights, self.factors.output)
            own = errors[::-1]
            for i, (x, left) in enumerate(tables):
                if len(seen[i]):
                    some = Places(places[i + 1].rows[seen[i]], places[i + 1].columns[seen[i]])
                    at = some.rows - columns.start
                    L = multiply((left[q], np.zeros_like(left[q])), inverse)
                    terms = multiply(_turned(x, at), _turned(L, some.columns))
                    size = own[i][:, 0, at].T * np.abs(L[0][:, some.columns].T)
                    size /= part.inverse[0]
                    sums[i + 1].add(seen[i], terms, size)
        return self._enclosed(places, sums)

    def _add_queries(
        self,
        sums: _Sums,
        which: npt.NDArray[np.intp],
        places: Places,
        part: Part,
        errors: Float,
    ) -> None:
        at = places.rows[which] - part.q.start
        K = np.ascontiguousarray(self.factors.last[0][part.columns].T[places.columns[which]])
        hi, lo = (x[at, 0] for x in part.gradients)
        inverse = part.inverse[0][at, None], part.inverse[1][at, None]
        terms = multiply(multiply((hi, lo), (K, np.zeros_like(K))), inverse)
        sums.add(which, terms, errors[at, 0] * np.abs(K))

    @property
    def _operations(self) -> int:
        """Relative errors of what follows weights and gradients of logits, in units of u²."""
        longest = max(self.prepared.shape[1], self.most).bit_length()
        return 4 * (longest + len(self.blocks)) + 9 * 4

    def _enclosed(self, places: Sequence[Places], sums: Sequence[_Sums]) -> list[Balls]:
        """Enclose them in the units of what was given."""
        tables = [(some.hi, some.lo) for some in sums]
        radii = [
            (some.error + 10 * UNIT**2 * np.abs(some.hi)) * INFLATION + TINY for some in sums
        ]
        return self.operands.enclosed_at(tables, radii, places)


def _turned(x: Pair, columns: npt.NDArray[np.intp]) -> Pair:
    """Some columns, one in each row."""
    hi, lo = (part.reshape(len(part), -1)[:, columns].T for part in x)
    return np.ascontiguousarray(hi), np.ascontiguousarray(lo)

"""Masks that keep an interval of tokens in every slot, without an array of booleans (D1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError
from kvfloor.numbers import as_count, shown

__all__ = ["WINDOWS", "Intervals", "Window"]

Places = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


class Window(NamedTuple):
    """Which tokens a query sees: in each slot those near its position, an end included.

    Query i of n_q stands at token ``i + n_r - n_q`` of a slot of n_r tokens, so that the last one
    stands at the last token (bottom-right, as with a past); or at token i (top-left).

    Attributes
    ----------
    left, right : int or None, or a sequence of m of them
        How many tokens before and after its position; None is all. ``Window(None, 0)`` is causal.
    top_left : bool
        Whether query i stands at token i.
    """

    left: Any = None
    right: Any = None
    top_left: bool = False


#: Masks by name.
WINDOWS = {"causal": Window(None, 0), "causal-top-left": Window(None, 0, top_left=True)}


@dataclass(frozen=True, eq=False)
class Intervals:
    """For b queries the tokens of each slot that they see: from ``low`` up to before ``high``.

    Attributes
    ----------
    low, high : ndarray of int64, shape (m, b)
        Within 0 and n_r; ``low >= high`` where none is seen.
    lengths : tuple of m ints
        The tokens n_r of each slot.
    """

    low: Places
    high: Places
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, window: Window, n_q: int, b: int, lengths: tuple[int, ...]) -> Intervals:
        """Return those of b queries, the j-th standing where query ``j % n_q`` of n_q stands.

        Raises
        ------
        InputError
            If a part of the window is out of range.
        """
        if not isinstance(window.top_left, bool):
            raise InputError("mask.top_left", "True or False", shown(window.top_left))
        n = np.array(lengths, dtype=np.int64)[:, None]
        place = np.arange(b, dtype=np.int64) % n_q + np.zeros_like(n)
        if not window.top_left:
            place += n - n_q
        left = _reaches(window.left, "mask.left", lengths)
        right = _reaches(window.right, "mask.right", lengths)
        return cls(np.clip(place - left, 0, n), np.clip(place + right + 1, 0, n), lengths)

    def taken(self, queries: slice | npt.NDArray[np.intp]) -> Intervals:
        """Return those of some queries."""
        return Intervals(self.low[:, queries], self.high[:, queries], self.lengths)

    def mask(self, query: int) -> Booleans:
        """Return which tuples one query sees, shape (n_1, ..., n_m)."""
        seen = [
            (low <= np.arange(n)) & (np.arange(n) < high)
            for low, high, n in zip(
                self.low[:, query], self.high[:, query], self.lengths, strict=True
            )
        ]
        kept: Booleans = reduce(np.logical_and.outer, seen)
        return kept

    @property
    def booleans(self) -> Booleans:
        """Which tuples each query sees, shape (b, n_1, ..., n_m)."""
        return np.stack([self.mask(query) for query in range(self.low.shape[1])])

    @property
    def any(self) -> Booleans:
        """Which queries see a tuple, shape (b,)."""
        return np.asarray((self.low < self.high).all(axis=0))

    def dropped(self, rows: slice, columns: slice) -> Booleans | None:
        """Return which tuples of a tile are not seen, shape (b, rows, columns); None if all are.

        Rows are tuples of the first m - 1 slots in C order, columns tokens of the last.
        """
        hidden = self._hidden_rows(rows)[:, :, None] | self._hidden(-1, _range(columns))[:, None, :]
        return hidden if hidden.any() else None

    def sees_none_of(self, rows: slice, columns: slice) -> bool:
        """Whether no query sees a tuple of a tile."""
        ends = self.low[-1] < columns.stop, self.high[-1] > columns.start
        if not (ends[0] & ends[1]).any():
            return True
        return bool(self._hidden_rows(rows).all())

    def _hidden(self, slot: int, places: Places) -> Booleans:
        low, high = self.low[slot][:, None], self.high[slot][:, None]
        return np.asarray((places < low) | (places >= high))

    def _hidden_rows(self, rows: slice) -> Booleans:
        hidden = np.zeros((self.low.shape[1], rows.stop - rows.start), dtype=np.bool_)
        if len(self.lengths) > 1:
            places = np.unravel_index(_range(rows), self.lengths[:-1])
            for slot, tokens in enumerate(places):
                hidden |= self._hidden(slot, np.asarray(tokens))
        return hidden


def _range(part: slice) -> Places:
    return np.arange(part.start, part.stop)


def _reaches(reach: Any, argument: str, lengths: tuple[int, ...]) -> Places:
    """How far a window reaches in each slot, shape (m, 1); past all tokens for None."""
    far = 2**40
    each = reach if isinstance(reach, Sequence) else [reach] * len(lengths)
    if isinstance(reach, str | bytes) or len(each) != len(lengths):
        raise InputError(argument, f"a number, None, or {len(lengths)} of them", shown(reach))
    counts = [far if one is None else min(as_count(one, argument), far) for one in each]
    return np.array(counts, dtype=np.int64)[:, None]

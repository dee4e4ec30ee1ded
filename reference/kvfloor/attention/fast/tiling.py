"""The order of work: tiles of tuples that stay in the cache, and which tuples a mask drops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.operands import Prepared
from kvfloor.attention.inputs import Mask
from kvfloor.attention.windows import Intervals

__all__ = ["Dropped", "Tiling", "slices"]


@dataclass(frozen=True)
class Tiling:
    """Cuts b queries x rows x columns into tiles that stay in the cache."""

    queries: int
    rows: int
    columns: int
    steps: tuple[int, int, int]

    @classmethod
    def of(cls, b: int, shape: tuple[int, int], columns: int, elements: int) -> Tiling:
        """Return tiles of at most ``columns`` columns and about ``elements`` elements."""
        J = min(columns, shape[1])
        R = min(shape[0], max(1, elements // J))
        return cls(b, *shape, (min(b, max(1, elements // (R * J))), R, J))

    @property
    def elements(self) -> int:
        """Elements of the largest tile."""
        return prod(self.steps)

    @property
    def per_query(self) -> int:
        """Tiles that one query runs through."""
        return -(-self.rows // self.steps[1]) * -(-self.columns // self.steps[2])

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Queries and rows of each block."""
        for q in slices(self.queries, self.steps[0]):
            for rows in slices(self.rows, self.steps[1]):
                yield q, rows

    def across(self) -> Iterator[slice]:
        """The columns of each tile in a block."""
        return slices(self.columns, self.steps[2])


def slices(length: int, step: int) -> Iterator[slice]:
    """Cut a length into steps; the last may be shorter."""
    return (slice(i, min(i + step, length)) for i in range(0, length, step))


@dataclass(frozen=True)
class Dropped:
    """The tuples that a mask drops.

    Attributes
    ----------
    kept : boolean array, shape (1 or b, rows, columns), or Intervals, or None
    """

    kept: Mask | Intervals | None

    @classmethod
    def by(cls, mask: Mask | Intervals | None, prepared: Prepared) -> Dropped:
        """Return those of intervals, or of booleans (n_1, ..., n_m) or (b or 1, n_1, ..., n_m)."""
        if mask is None or isinstance(mask, Intervals):
            return cls(mask)
        return cls(mask.reshape(-1, *prepared.shape))

    def of(self, queries: slice | npt.NDArray[np.intp]) -> Dropped:
        """Return those of some queries."""
        if isinstance(self.kept, Intervals):
            return Dropped(self.kept.taken(queries))
        return self if self.kept is None or len(self.kept) == 1 else Dropped(self.kept[queries])

    def all_of(self, queries: slice, rows: slice, columns: slice) -> bool:
        """Whether a tile has nothing to add, if that is plain without looking at each tuple."""
        if not isinstance(self.kept, Intervals):
            return False
        return self.kept.taken(queries).sees_none_of(rows, columns)

    def __call__(self, queries: slice, rows: slice, columns: slice) -> Mask | None:
        """Return the part of one tile, shape (1 or queries, rows, columns)."""
        if self.kept is None:
            return None
        if isinstance(self.kept, Intervals):
            return self.kept.taken(queries).dropped(rows, columns)
        dropped: Mask = ~self.kept[queries if len(self.kept) > 1 else slice(1), rows, columns]
        return dropped

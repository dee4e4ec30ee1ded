"""Rows that come one by one, and may go one by one, without copying all of them each time."""

from __future__ import annotations

from typing import Any

import numpy as np

from kvfloor.numbers import Array

__all__ = ["Rows"]


class Rows:
    """A matrix with room for more rows.

    Parameters
    ----------
    width : int
    dtype : dtype
    """

    def __init__(self, width: int, dtype: Any = np.float64) -> None:
        self.array = np.empty((0, width), dtype=dtype)

    @property
    def array(self) -> Array:
        """The rows, as they are kept: whoever alters them alters what is kept."""
        return self._room[self._start : self._start + self._count]

    @array.setter
    def array(self, rows: Array) -> None:
        self._room, self._start, self._count = rows, 0, len(rows)

    def __len__(self) -> int:
        return self._count

    def append(self, row: Array) -> None:
        """Take a row."""
        if self._start + self._count == len(self._room):  # room for twice as many, at the front
            room = np.empty((max(1, 2 * self._count), self._room.shape[1]), self._room.dtype)
            room[: self._count] = self.array
            self._room, self._start = room, 0
        self._room[self._start + self._count] = row
        self._count += 1

    def drop(self, place: int) -> None:
        """Forget one row; those on its shorter side move."""
        rows = self.array
        if 2 * place < self._count:
            rows[1 : place + 1] = rows[:place].copy()
            self._start += 1
        else:
            rows[place:-1] = rows[place + 1 :].copy()
        self._count -= 1

"""An arithmetic that counts: numbers for NumPy object arrays, and a memory for their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from kvfloor.errors import InputError
from kvfloor.numbers import as_fraction, to_fmpq

__all__ = ["Array", "Counted", "Counts", "Memory", "counted"]

Array = npt.NDArray[Any]


@dataclass
class Counts:
    """How often each operation was done; whole numbers, or expressions in a closed form.

    Attributes
    ----------
    multiplications, additions, divisions, exponentials
        Of numbers.
    written, read
        Numbers put into and taken out of the memory of the cache.
    """

    multiplications: Any = 0
    additions: Any = 0
    divisions: Any = 0
    exponentials: Any = 0
    written: Any = 0
    read: Any = 0


class Counted:
    """A number that counts what is done with it. Any other operation is an error.

    Parameters
    ----------
    value : arb
        So that whatever is computed is an enclosure too.
    counts : Counts
        Where operations are counted; those on two numbers, by the left one.
    """

    __slots__ = ("counts", "value")

    def __init__(self, value: arb, counts: Counts) -> None:
        self.value = value
        self.counts = counts

    def __mul__(self, other: Counted) -> Counted:
        self.counts.multiplications += 1
        return Counted(self.value * other.value, self.counts)

    def __add__(self, other: Counted) -> Counted:
        self.counts.additions += 1
        return Counted(self.value + other.value, self.counts)

    def __truediv__(self, other: Counted) -> Counted:
        self.counts.divisions += 1
        return Counted(self.value / other.value, self.counts)

    def exp(self) -> Counted:
        """Return e to this number; what ``np.exp`` calls on an array of objects."""
        self.counts.exponentials += 1
        return Counted(self.value.exp(), self.counts)


def counted(numbers: Any, counts: Counts) -> Array:
    """Return an array of numbers as an array of the same shape that counts.

    Raises
    ------
    InputError
        If an entry is not a finite number.
    """
    plain = np.array(numbers, dtype=object)
    result = np.empty(plain.shape, dtype=object)
    for place, x in np.ndenumerate(plain):
        result[place] = Counted(arb(to_fmpq(as_fraction(x, f"numbers{list(place)}"))), counts)
    return result


class Memory:
    """The rows that a cache keeps, by name. A cache may read nothing else.

    Parameters
    ----------
    counts : Counts
        Where the numbers that are written and read are counted.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._blocks: dict[str, list[Array]] = {}

    @property
    def words(self) -> int:
        """How many numbers are kept."""
        return sum(block.size for blocks in self._blocks.values() for block in blocks)

    def write(self, name: str, rows: Array) -> None:
        """Append rows, shape (k, d).

        Raises
        ------
        InputError
            If they are not as long as those before.
        """
        blocks = self._blocks.setdefault(name, [])
        width = blocks[0].shape[1] if blocks else None
        if rows.ndim != 2 or width not in (None, rows.shape[1]):
            expected = "rows" if width is None else f"rows of {width} numbers"
            raise InputError(name, expected, f"shape {rows.shape}")
        self._counts.written += rows.size
        blocks.append(rows)

    def read(self, name: str) -> Array:
        """Return all rows of a name.

        Raises
        ------
        InputError
            If there are none.
        """
        if name not in self._blocks:
            raise InputError("name", "one of " + ", ".join(self._blocks), name)
        rows = np.concatenate(self._blocks[name])
        self._counts.read += rows.size
        return rows

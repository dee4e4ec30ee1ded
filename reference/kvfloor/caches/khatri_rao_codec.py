"""A Khatri-Rao product A_1 ⊘ … ⊘ A_m packed into a few of its own entries (T2 `two-cache`).

A column of the product is a tensor of rank at most one. With a non-zero entry, the pivot, in tuple
t*, every other one is T[t] = Π_r T[t* with j_r for j*_r] / T[t*]^(m-1). So the pivot and the
entries on the m lines through it are all there is to keep: 1 + Σ_r (n_r - 1) numbers for the
n_1···n_m of the column, and where the pivot is. They are entries of the column, so in whatever
format that was given, the packed one fits too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from kvfloor.errors import InputError
from kvfloor.numbers import Matrix, as_count, as_matrix, shown

__all__ = ["PackedColumn", "PackedProduct", "pack", "read_bits", "write_bits"]


@dataclass(frozen=True)
class PackedColumn:
    """One column: row of the pivot, pivot, and the rest of the lines through it, slot by slot.

    Attributes
    ----------
    pivot : int or None
        The first row with an entry other than zero; None if there is none.
    numbers : tuple of Fraction
        1 + Σ_r (n_r - 1) entries of the column; empty if it is all zeros.
    """

    pivot: int | None
    numbers: tuple[Fraction, ...]


@dataclass(frozen=True)
class PackedProduct:
    """A Khatri-Rao product, packed.

    Attributes
    ----------
    lengths : tuple of int
        n_1, …, n_m: the rows of the factors.
    columns : tuple of PackedColumn
    """

    lengths: tuple[int, ...]
    columns: tuple[PackedColumn, ...]

    @property
    def numbers(self) -> int:
        """How many numbers are kept."""
        return sum(len(column.numbers) for column in self.columns)

    def unpack(self) -> Matrix:
        """Return the product that was packed, shape (n_1···n_m, d)."""
        unpacked = [_unpack_column(column, self.lengths) for column in self.columns]
        return tuple(zip(*unpacked, strict=True))


def pack(matrix: Any, lengths: Sequence[int], argument: str = "matrix") -> PackedProduct:
    """Return a Khatri-Rao product packed; the last slot varies fastest, as in `khatri_rao`.

    Parameters
    ----------
    matrix : array, shape (n_1···n_m, d)
    lengths : sequence of m >= 1 ints
        n_1, …, n_m.
    argument : str
        Name of the matrix, for errors.

    Raises
    ------
    InputError
        If the matrix is no Khatri-Rao product of factors with these rows: the entry is named.
    """
    A = as_matrix(matrix, argument)
    slots = _slots(lengths)
    if not slots or prod(slots) != len(A):
        raise InputError("lengths", f"m >= 1 lengths with product {len(A)}", repr(slots))
    packed = PackedProduct(
        slots, tuple(_pack_column(column, slots) for column in zip(*A, strict=True))
    )
    for row, (given, implied) in enumerate(zip(A, packed.unpack(), strict=True)):
        for c, (x, y) in enumerate(zip(given, implied, strict=True)):
            if x != y:
                raise InputError(f"{argument}[{row}][{c}]", f"{y}, by the column's rank", str(x))
    return packed


def _slots(lengths: Sequence[int]) -> tuple[int, ...]:
    return tuple(as_count(n, f"lengths[{r}]", 1) for r, n in enumerate(lengths))


def _pack_column(column: Sequence[Fraction], lengths: tuple[int, ...]) -> PackedColumn:
    pivot = next((row for row, x in enumerate(column) if x), None)
    if pivot is None:
        return PackedColumn(None, ())
    return PackedColumn(pivot, tuple(column[row] for row in _kept(pivot, lengths)))


def _unpack_column(packed: PackedColumn, lengths: tuple[int, ...]) -> list[Fraction]:
    if packed.pivot is None:
        return [Fraction(0)] * prod(lengths)
    at_pivot, *rest = packed.numbers
    arms = iter(rest)
    factors = [
        [(at_pivot if row == packed.pivot else next(arms)) / at_pivot for row in line]
        for line in _lines(packed.pivot, lengths)
    ]
    return [prod(entries, start=at_pivot) for entries in product(*factors)]


def _kept(pivot: int, lengths: tuple[int, ...]) -> list[int]:
    """Rows whose entries are kept: of the pivot, and of the rest of the lines through it."""
    return [pivot, *(row for line in _lines(pivot, lengths) for row in line if row != pivot)]


def _lines(pivot: int, lengths: tuple[int, ...]) -> list[range]:
    """Rows on the line through the pivot along each slot."""
    lines = []
    stride = prod(lengths)
    for n in lengths:
        block, stride = stride, stride // n
        first = pivot - pivot % block + pivot % stride
        lines.append(range(first, first + block, stride))
    return lines


def write_bits(packed: PackedProduct, width: int) -> str:
    """Return the product as bits: in each column the pivot, then the numbers.

    The pivot takes ⌈log₂(n_1···n_m + 1)⌉ bits, a number ``width`` bits in two's complement. A
    column of zeros takes as many bits as any other, so that columns need no separators.

    Raises
    ------
    InputError
        If a number is not a whole one of that width.
    """
    half = 2 ** (as_count(width, "width", 1) - 1)
    rows, kept = prod(packed.lengths), 1 + sum(n - 1 for n in packed.lengths)
    text = []
    for c, column in enumerate(packed.columns):
        text.append(f"{0 if column.pivot is None else column.pivot + 1:0{rows.bit_length()}b}")
        for x in column.numbers or (Fraction(0),) * kept:
            if x.denominator != 1 or not -half <= x < half:
                expected = f"whole numbers of {width} bits in two's complement"
                raise InputError(f"packed.columns[{c}]", expected, str(x))
            text.append(f"{int(x) % (2 * half):0{width}b}")
    return "".join(text)


def read_bits(bits: str, lengths: Sequence[int], columns: int, width: int) -> PackedProduct:
    """Return the packed product that `write_bits` wrote.

    Raises
    ------
    InputError
        If it wrote no such bits: they are too many or too few, a pivot is in no row, or zero, or
        not the first entry that is not, or a column of zeros has numbers.
    """
    slots, width = _slots(lengths), as_count(width, "width", 1)
    if not set(bits) <= {"0", "1"}:
        raise InputError("bits", "zeros and ones", shown(bits))
    flag, kept = prod(slots).bit_length(), 1 + sum(n - 1 for n in slots)
    size = flag + kept * width
    if len(bits) != as_count(columns, "columns", 1) * size:
        raise InputError("bits", f"{columns * size} bits", str(len(bits)))
    return PackedProduct(
        slots,
        tuple(
            _read_column(bits[c * size : (c + 1) * size], slots, width, f"in column {c}")
            for c in range(columns)
        ),
    )


def _read_column(bits: str, lengths: tuple[int, ...], width: int, where: str) -> PackedColumn:
    flag = prod(lengths).bit_length()
    pivot = int(bits[:flag], 2) - 1
    words = [int(bits[k : k + width], 2) for k in range(flag, len(bits), width)]
    numbers = tuple(Fraction(w - (2**width if w >> (width - 1) else 0)) for w in words)
    if pivot < 0:
        if any(numbers):
            expected = f"no number other than zero without a pivot, {where}"
            raise InputError("bits", expected, str(next(filter(None, numbers))))
        return PackedColumn(None, ())
    if pivot >= prod(lengths):
        raise InputError("bits", f"a pivot in {prod(lengths)} rows, {where}", str(pivot))
    others = [row for row, x in zip(_kept(pivot, lengths), numbers, strict=True) if x]
    if min(others, default=None) != pivot:
        expected = f"a pivot that is the first entry other than zero, {where}"
        raise InputError("bits", expected, f"row {pivot}")
    return PackedColumn(pivot, numbers)

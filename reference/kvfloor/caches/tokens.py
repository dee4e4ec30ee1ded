"""Tokens at the gate of a cache, and tokens kept in a binary format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from kvfloor.attention import tensor_attention_rounded
from kvfloor.caches.packing import StateReader, number_bytes
from kvfloor.caches.rows import Rows
from kvfloor.errors import InputError
from kvfloor.numbers import Array, BinaryFormat, as_count, as_format, as_fraction, as_vector, shown

__all__ = [
    "KeptTokens",
    "Shape",
    "as_float64",
    "as_float64_token",
    "as_token",
    "attend",
    "round_floats",
    "rounded",
    "rounded_token",
]


_WHOLE = 2.0**53  # whole numbers below this are float64


class Shape:
    """Order and widths of the tokens that a cache takes, checked.

    Parameters
    ----------
    order, d, d_v : int
        m, d, d_v, at least 1.

    Raises
    ------
    InputError
        If one is not.
    """

    def __init__(self, order: int, d: int, d_v: int) -> None:
        self.order = as_count(order, "order", 1)
        self.d = as_count(d, "d", 1)
        self.d_v = as_count(d_v, "d_v", 1)

    @property
    def width(self) -> int:
        """Numbers of a token."""
        return self.order * (self.d + self.d_v)

    def split(self, rows: Array) -> tuple[list[Array], list[Array]]:
        """Return the keys and the values of each slot from rows of shape (..., width)."""
        keys, values = np.split(rows, [self.order * self.d], axis=-1)
        return np.split(keys, self.order, axis=-1), np.split(values, self.order, axis=-1)


def as_token(keys: Any, values: Any, shape: Shape) -> list[Fraction]:
    """Return the numbers of a token exactly: its keys, slot by slot, and then its values.

    Raises
    ------
    InputError
        For another shape, or a number that is not finite.
    """
    return [as_fraction(x, "token") for x in _numbers(keys, values, shape)]


def as_float64_token(keys: Any, values: Any, shape: Shape) -> Array:
    """Return the same numbers as float64.

    Raises
    ------
    InputError
        As `as_token` and `as_float64` do.
    """
    numbers = _numbers(keys, values, shape)
    if (floats := _at_once(numbers)) is not None:
        return floats
    return as_float64([as_fraction(x, "token") for x in numbers], "numbers")


def _at_once(numbers: list[Any]) -> Array | None:
    """Floats and whole numbers that float64 holds as an array, in a tenth of the time."""
    types = {*map(type, numbers)}
    if not types <= {int, float}:
        return None
    try:
        floats = np.array(numbers, dtype=np.float64) + 0.0  # no zero has a sign
    except OverflowError:
        return None
    exact = np.abs(floats) < _WHOLE if int in types else np.isfinite(floats)
    return floats if exact.all() else None


def _numbers(keys: Any, values: Any, shape: Shape) -> list[Any]:
    """The numbers of a token of the shape, whatever they are."""
    try:
        came = [len(row) for row in keys], [len(row) for row in values]
    except TypeError:
        raise InputError("token", "keys and values, a row a slot", shown((keys, values))) from None
    if came != ([shape.d] * shape.order, [shape.d_v] * shape.order):
        expected = (
            f"{shape.order} keys of {shape.d} and {shape.order} values of {shape.d_v} numbers"
        )
        raise InputError("token", expected, f"{came[0]} and {came[1]}")
    return [x for row in (*keys, *values) for x in row]


def rounded_token(keys: Any, values: Any, shape: Shape, target: BinaryFormat) -> Array:
    """Return the same numbers rounded to nearest in a format, as float64.

    Raises
    ------
    InputError
        As `as_token` and `rounded` do.
    """
    numbers = _numbers(keys, values, shape)
    if (floats := _at_once(numbers)) is not None:
        return round_floats(floats, target)
    return rounded([as_fraction(x, "token") for x in numbers], target)


def rounded(numbers: Sequence[Fraction], target: BinaryFormat) -> Array:
    """Return rationals rounded to nearest in a format, as float64.

    Raises
    ------
    InputError
        If one is beyond the format.
    """
    floats = [_float64(x) for x in numbers]
    if None not in floats:  # an array at once, in a tenth of the time
        return round_floats(np.array(floats, dtype=np.float64), target)
    return _within(np.array([target.round(x) for x in numbers]), target)


def round_floats(numbers: Array, target: BinaryFormat) -> Array:
    """Return the same for an array of float64."""
    return _within(target.round_array(numbers), target)


def _within(numbers: Array, target: BinaryFormat) -> Array:
    if not np.isfinite(numbers).all():
        largest = float(target.max_finite)
        raise InputError("token", f"numbers up to {largest} for {target.name}", "larger ones")
    return numbers


def as_float64(numbers: Sequence[Fraction], what: str) -> Array:
    """Return numbers as float64, which holds them exactly.

    Raises
    ------
    InputError
        If it does not.
    """
    found = []
    for x in numbers:
        held = _float64(x)
        if held is None:
            raise InputError("token", f"{what} that float64 holds exactly", shown(x))
        found.append(held)
    return np.array(found)


def _float64(x: Fraction) -> float | None:
    """Return x if float64 holds it exactly."""
    try:
        near = float(x)  # right for a quotient of whole numbers
    except OverflowError:
        return None
    return near if near.as_integer_ratio() == x.as_integer_ratio() else None


def attend(keys: Any, values: Any, query: Sequence[Any], d: int) -> list[float]:
    """Return attention over m matrices of keys and m of values, correctly rounded to float64.

    Raises
    ------
    InputError
        If there is no token, the query has another shape, or an output is beyond float64.
    """
    if len(keys[0]) == 0:
        raise InputError("query", "a token before the first query", "none")
    q = as_vector(query, "query", d)
    output = tensor_attention_rounded(q, keys, values, dtype="float64")
    if not np.isfinite(output).all():
        raise InputError("values", "values whose products float64 holds", "larger ones")
    answer: list[float] = output.tolist()
    return answer


class KeptTokens:
    """A list of tokens, each as its ``m·(d + d_v)`` numbers in a binary format.

    Attributes
    ----------
    rows : ndarray, shape (n, m·(d + d_v))
        Keys, slot by slot, and then values.
    """

    def __init__(self, shape: Shape, dtype: Any) -> None:
        self.shape, self.format = shape, as_format(dtype)
        self._rows = Rows(shape.width)

    @property
    def rows(self) -> Array:
        """The tokens' numbers."""
        return self._rows.array

    @rows.setter
    def rows(self, rows: Array) -> None:
        self._rows.array = rows

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, token: Array) -> None:
        """Take a token's numbers, which are numbers of the format."""
        self._rows.append(token)

    def drop(self, place: int) -> None:
        """Forget one token."""
        self._rows.drop(place)

    def data(self) -> bytes:
        """Return the tokens, one after the other."""
        return number_bytes(self.rows, self.format)

    def read(self, reader: StateReader, count: int) -> None:
        """Read back ``count`` tokens."""
        self.rows = reader.numbers((count, self.shape.width), self.format)

    def read_rest(self, state: bytes) -> None:
        """Read back a state that is nothing but tokens; `InputError` for a torn one."""
        size = self.shape.width * self.format.dtype.itemsize
        if len(state) % size:
            raise InputError("state", f"tokens of {size} bytes", f"{len(state)} bytes")
        self.read(StateReader(state), len(state) // size)

    @property
    def slots(self) -> tuple[list[Array], list[Array]]:
        """The keys and the values of each slot: m arrays of shape (n, d), m of shape (n, d_v)."""
        return self.shape.split(self.rows)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return attention over the tokens."""
        return attend(*self.slots, query, self.shape.d)

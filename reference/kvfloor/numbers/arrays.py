"""The one reader: arrays of any framework in, exact arrays out, and one place that complains.

Nothing is rounded, clipped, reshaped or broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError
from kvfloor.numbers.formats import FORMATS
from kvfloor.numbers.frameworks import NATIVE, Array, is_array, to_numpy
from kvfloor.numbers.scalars import as_fraction, shown

__all__ = [
    "Matrix",
    "Vector",
    "as_booleans",
    "as_list",
    "as_matrix",
    "as_vector",
    "floats",
    "rationals",
    "read",
    "read_extended",
    "read_rows",
]

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]

VECTOR = "a one-dimensional array of numbers"
MATRIX = "a two-dimensional array (tokens x columns)"


def read(value: Any, argument: str, ndim: int) -> Array:
    """Return an array of one or two axes exactly.

    Parameters
    ----------
    value : array of NumPy, PyTorch, JAX or with DLPack, on any device; or nested sequences
    argument : str
        Its name, for the error.
    ndim : int
        1 or 2.

    Returns
    -------
    ndarray
        Not empty, every entry finite: of dtype float64 if it came in a binary format that float64
        holds (maybe the caller's own memory: not to be written to or kept), else object with a
        `Fraction` in each place. `floats` and `rationals` are its views.

    Raises
    ------
    InputError
        If it is empty, ragged or masked, has another number of axes, or an entry that is no finite
        number, or its framework will not hand it over.
    """
    if is_array(value):
        value = _as_numpy(value, argument, VECTOR if ndim == 1 else MATRIX)
        if value.ndim == ndim and (exact := _held(value)) is not None:
            return exact
    entries = _vector(value, argument) if ndim == 1 else _matrix(value, argument)
    return np.array(entries, dtype=object)


def read_rows(value: Any, argument: str) -> tuple[Array, tuple[int, ...]]:
    """Return an array of shape (..., d) as rows, shape (b, d), and its axes before the last.

    Raises
    ------
    InputError
        As `read` does.
    """
    expected = "an array of shape (..., d)"
    array = _as_numpy(value, argument, expected) if is_array(value) else _nested(value, argument)
    if array.ndim == 0:
        raise InputError(argument, expected, shown(value))
    if array.size == 0:
        raise InputError(argument, f"{expected}, no axis of length 0", f"shape {array.shape}")
    axes = array.shape[:-1]
    rows = array.reshape(-1, array.shape[-1])
    if (exact := _held(rows)) is not None:
        return exact, axes
    names = (argument + "".join(f"[{i}]" for i in place) for place in np.ndindex(axes))
    entries = [_vector(row, name) for row, name in zip(rows, names, strict=True)]
    return np.array(entries, dtype=object), axes


def read_extended(value: Any, argument: str) -> Array:
    """Return an array with any number of axes whose entries are numbers, or -inf.

    It is what `read` returns, but for its axes and -inf, which stays a float.

    Raises
    ------
    InputError
        If it is empty, ragged or masked, or an entry is neither.
    """
    expected = "an array of numbers, or -inf"
    if is_array(value):
        array = _as_numpy(value, argument, expected)
        if array.dtype.name in FORMATS:
            with np.errstate(invalid="ignore"):
                exact: Array = array.astype(np.float64, copy=False)
            if array.size and not (np.isnan(exact) | (exact == np.inf)).any():
                return exact
    else:
        array = _nested(value, argument)
    if array.size == 0:
        raise InputError(argument, expected, "an empty one")
    entries = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        x = array[place]
        lowest = isinstance(x, float | np.floating) and x == -np.inf
        where = f"{argument}{list(place)}" if place else argument
        entries[place] = -np.inf if lowest else _entry(x, where)
    return entries


def floats(array: Array) -> Array:
    """Return an array that was read in float64 if that holds all of it, else as it is."""
    if array.dtype != object:
        return array
    try:
        rounded = array.astype(np.float64)
    except OverflowError:
        return array
    return rounded if (rounded == array).all() else array


def rationals(array: Array) -> Any:
    """Return an array that was read as a tuple of `Fraction`, or a tuple of such tuples."""
    listed = array.tolist()
    if array.ndim == 1:
        return tuple(map(Fraction, listed))
    return tuple(tuple(map(Fraction, row)) for row in listed)


def as_vector(value: Any, argument: str, length: int | None = None) -> Vector:
    """Return an array of one axis, of a given length if any, as exact rationals.

    Raises
    ------
    InputError
        As `read` does, or if it is of another length.
    """
    vector: Vector = rationals(read(value, argument, 1))
    if length is not None and len(vector) != length:
        raise InputError(argument, f"{length} entries", str(len(vector)))
    return vector


def as_matrix(value: Any, argument: str) -> Matrix:
    """Return an array of two axes as exact rationals; `InputError` as `read`."""
    matrix: Matrix = rationals(read(value, argument, 2))
    return matrix


def as_list(value: Any, argument: str, expected: str) -> list[Any]:
    """Return what a sequence or array holds along its first axis, at least one thing.

    Raises
    ------
    InputError
        If it is neither, or empty, or masked.
    """
    if is_array(value):
        array = _as_numpy(value, argument, expected)
        if array.ndim == 0:
            raise InputError(argument, expected, f"a scalar {shown(value)}")
        # float64 holds these exactly, and a list of Python floats is far quicker to walk.
        value = array.tolist() if array.dtype in NATIVE else list(array)
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InputError(argument, expected, shown(value))
    if len(value) == 0:
        raise InputError(argument, expected, "an empty one")
    return list(value)


def as_booleans(value: Any, argument: str, expected: str) -> npt.NDArray[np.bool_]:
    """Return an array or nested sequences of booleans, of any shape.

    Raises
    ------
    InputError
        If it is not boolean, ragged or masked.
    """
    array = _as_numpy(value, argument, expected)
    if array.dtype == object and all(isinstance(x, bool | np.bool_) for x in array.flat):
        array = array.astype(np.bool_)
    if array.dtype != np.bool_:
        raise InputError(argument, expected, f"{array.dtype} of shape {array.shape}")
    return array


def _held(array: Array) -> Array | None:
    """The same as float64, if it is of a binary format that it holds, and all of it finite."""
    if array.size and array.dtype.name in FORMATS:
        with np.errstate(invalid="ignore"):  # signalling NaNs
            exact: Array = array.astype(np.float64, copy=False)
        if np.isfinite(exact).all():
            return exact
    return None


def _nested(value: Any, argument: str) -> Array:
    """Nested sequences as an array of objects."""
    expected = "rows of one length"
    try:
        array = np.array(value, dtype=object)
    except ValueError:
        raise InputError(argument, expected, "a ragged sequence") from None
    if any(isinstance(x, Sequence) and not isinstance(x, str | bytes) for x in array.flat):
        raise InputError(argument, expected, "a ragged sequence")
    return array


def _as_numpy(value: Any, argument: str, expected: str) -> Array:
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(argument, expected, "a masked array")
    try:
        return to_numpy(value)
    except Exception as error:  # a framework may raise anything
        came = f"{type(value).__name__} that NumPy cannot read ({shown(str(error))})"
        raise InputError(argument, expected, came) from None


def _vector(value: Any, argument: str) -> list[Fraction]:
    return [_entry(x, f"{argument}[{c}]") for c, x in enumerate(as_list(value, argument, VECTOR))]


def _matrix(value: Any, argument: str) -> list[list[Fraction]]:
    rows = enumerate(as_list(value, argument, MATRIX))
    matrix = [_vector(row, f"{argument}[{j}]") for j, row in rows]
    width = len(matrix[0])
    for j, row in enumerate(matrix):
        if len(row) != width:
            raise InputError(f"{argument}[{j}]", f"{width} columns as in row 0", str(len(row)))
    return matrix


def _entry(value: Any, argument: str) -> Fraction:
    if isinstance(value, str):
        raise InputError(argument, "a finite real number", shown(value))
    return as_fraction(value, argument)

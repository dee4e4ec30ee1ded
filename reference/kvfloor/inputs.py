"""Numbers in, exact rationals out: the one gate through which caller's data passes.

Nothing is rounded, clipped, reshaped or broadcast. A float stands for the rational it denotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from numbers import Integral, Rational
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
from flint import arb, fmpq

from kvfloor.errors import InputError

__all__ = [
    "Array",
    "Mask",
    "Matrix",
    "Scale",
    "Vector",
    "as_array",
    "as_count",
    "as_fraction",
    "as_mask",
    "as_matrix",
    "as_queries",
    "as_row_masks",
    "as_scale",
    "as_slot_arrays",
    "as_slots",
    "as_vector",
    "ball_ends",
    "to_fmpq",
    "to_fraction",
]

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

NATIVE = (np.float16, np.float32, np.float64)
INVERSE_SQRT_D = "1/sqrt(d)"


def as_fraction(value: Any, argument: str) -> Fraction:
    """Return the exact rational value of a number.

    Parameters
    ----------
    value : int, float, Fraction, Decimal, mpf, NumPy or ml_dtypes scalar, or text such as "1/8"
        A finite real number.
    argument : str
        Its name, for the error.

    Raises
    ------
    InputError
        If ``value`` is not a finite real number.
    """
    try:
        return _exact(value)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise InputError(argument, "a finite real number", _shown(value)) from None


def _exact(value: Any) -> Fraction:
    if isinstance(value, bool | np.bool_):
        raise TypeError
    if isinstance(value, Integral):
        return Fraction(int(value))
    if isinstance(value, Rational | float | Decimal | str):
        return Fraction(value)
    if isinstance(value, mpmath.mpf):
        if not mpmath.isfinite(value):
            raise ValueError
        return Fraction(*mpmath.libmp.to_rational(value._mpf_))
    if isinstance(value, np.floating):
        return Fraction(*value.as_integer_ratio())
    if isinstance(value, np.generic) and value.dtype.kind in "Vf":
        # The formats of ml_dtypes (bfloat16, float8, ...) all embed in float64.
        return Fraction(float(value))
    raise TypeError


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def as_count(value: Any, argument: str, least: int = 0) -> int:
    """Return a whole number that is at least ``least``.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(argument, f"a whole number >= {least}", _shown(value))
    return int(value)


def as_vector(value: Any, argument: str, length: int | None = None) -> Vector:
    """Return a non-empty one-dimensional array, of a given length if any, as exact rationals.

    Raises
    ------
    InputError
        If it is empty, not one-dimensional, of another length, or has an entry that is no finite
        number.
    """
    entries = _entries(value, argument, "a one-dimensional array of numbers")
    if length is not None and len(entries) != length:
        raise InputError(argument, f"{length} entries", str(len(entries)))
    return tuple(_entry(x, f"{argument}[{c}]") for c, x in enumerate(entries))


def as_matrix(value: Any, argument: str) -> Matrix:
    """Return a two-dimensional array with at least one row and one column as exact rationals.

    Raises
    ------
    InputError
        If it is empty, ragged, not two-dimensional, or has an entry that is no finite number.
    """
    rows = _entries(value, argument, "a two-dimensional array (tokens x columns)")
    matrix = tuple(as_vector(row, f"{argument}[{j}]") for j, row in enumerate(rows))
    width = len(matrix[0])
    for j, row in enumerate(matrix):
        if len(row) != width:
            raise InputError(f"{argument}[{j}]", f"{width} columns as in row 0", str(len(row)))
    return matrix


def _entry(value: Any, argument: str) -> Fraction:
    if isinstance(value, str):
        raise InputError(argument, "a finite real number", _shown(value))
    return as_fraction(value, argument)


def _entries(value: Any, argument: str, expected: str) -> list[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(argument, expected, "a masked array")
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.ndim == 0:
            raise InputError(argument, expected, f"a scalar {_shown(value)}")
        # float64 holds these exactly, and a list of Python floats is far quicker to walk.
        value = array.tolist() if array.dtype in NATIVE else list(array)
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InputError(argument, expected, _shown(value))
    if len(value) == 0:
        raise InputError(argument, expected, "an empty one")
    return list(value)


def as_array(value: Any, argument: str, ndim: int) -> Array:
    """Return an array of ``ndim`` axes exactly: float64 if that holds it, else objects.

    Parameters
    ----------
    value : array or nested sequence
    argument : str
        Its name, for the error.
    ndim : int
        1 or 2.

    Returns
    -------
    ndarray
        Of dtype float64, or object with a Fraction in each place.

    Raises
    ------
    InputError
        As `as_vector` and `as_matrix` do.
    """
    if hasattr(value, "__array__") and not isinstance(value, np.ma.MaskedArray):
        array = np.asarray(value)
        embeds = array.dtype in NATIVE or (array.dtype.kind == "V" and array.dtype.itemsize <= 2)
        if array.ndim == ndim and array.size and embeds:
            with np.errstate(invalid="ignore"):  # signalling NaNs
                floats = array.astype(np.float64)
            if np.isfinite(floats).all():
                return floats
    exact = as_vector(value, argument) if ndim == 1 else as_matrix(value, argument)
    objects = np.array(exact, dtype=object)
    try:
        floats = objects.astype(np.float64)
    except OverflowError:
        return objects
    return floats if (floats == objects).all() else objects


def as_slots(
    keys: Any, values: Any, d: int | None = None
) -> tuple[tuple[Matrix, ...], tuple[Matrix, ...]]:
    """Return the keys and values of all m slots, shapes checked against each other.

    Parameters
    ----------
    keys, values : sequence of m arrays
        ``keys[r]`` has shape (n_r, d), ``values[r]`` shape (n_r, d_v); m >= 1.
    d : int, optional
        Length of the query; without it, the columns of ``keys[0]``.

    Raises
    ------
    InputError
        For order 0, different numbers of slots, or any shape that does not fit.
    """
    K = tuple(as_matrix(*named) for named in _slots(keys, "keys"))
    V = tuple(as_matrix(*named) for named in _slots(values, "values"))
    _check_shapes([(len(A), len(A[0])) for A in K], [(len(A), len(A[0])) for A in V], d)
    return K, V


def as_slot_arrays(
    keys: Any, values: Any, d: int | None = None
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return the same as arrays, as `as_array` makes them."""
    K = tuple(as_array(*named, 2) for named in _slots(keys, "keys"))
    V = tuple(as_array(*named, 2) for named in _slots(values, "values"))
    _check_shapes([A.shape for A in K], [A.shape for A in V], d)
    return K, V


def _slots(arrays: Any, argument: str) -> list[tuple[Any, str]]:
    expected = "a sequence of m >= 1 two-dimensional arrays, one a slot"
    try:
        listed = list(arrays)
    except TypeError:
        raise InputError(argument, expected, _shown(arrays)) from None
    if isinstance(arrays, str | bytes):
        raise InputError(argument, expected, _shown(arrays))
    if not listed:
        raise InputError(argument, expected, "an empty one (order 0)")
    return [(array, f"{argument}[{r}]") for r, array in enumerate(listed)]


def _check_shapes(K: list[Any], V: list[Any], d: int | None) -> None:
    if len(V) != len(K):
        raise InputError("values", f"{len(K)} arrays, one for each in keys", f"{len(V)}")
    columns, where = (K[0][1], "keys[0]") if d is None else (d, "query")
    for r, ((n, width), (rows, d_v)) in enumerate(zip(K, V, strict=True)):
        if width != columns:
            raise InputError(f"keys[{r}]", f"{columns} columns as in {where}", str(width))
        if rows != n:
            raise InputError(f"values[{r}]", f"{n} rows as in keys[{r}]", str(rows))
        if d_v != V[0][1]:
            raise InputError(f"values[{r}]", f"{V[0][1]} columns as in values[0]", str(d_v))


def as_queries(value: Any) -> tuple[Array, tuple[int, ...]]:
    """Return queries of shape (..., d) as an array (b, d), and the leading axes.

    Raises
    ------
    InputError
        If there is no query, or rows differ in length, or an entry is not finite.
    """
    try:
        array = np.asarray(value, dtype=None if hasattr(value, "__array__") else object)
    except ValueError:
        raise InputError("query", "an array of shape (..., d)", "a ragged sequence") from None
    if array.ndim == 0 or array.size == 0 or isinstance(value, np.ma.MaskedArray):
        raise InputError("query", "an array of shape (..., d)", _shown(value))
    return as_array(array.reshape(-1, array.shape[-1]), "query", 2), array.shape[:-1]


def as_row_masks(mask: Any, leading: tuple[int, ...], lengths: tuple[int, ...]) -> Mask | None:
    """Return masks as a boolean array (b, n_1, ..., n_m), or (1, ...) for one for all queries.

    Raises
    ------
    InputError
        If it is not boolean, or of another shape.
    """
    if mask is None:
        return None
    expected = f"booleans of shape {lengths}" + (f" or {leading + lengths}" if leading else "")
    array = _as_booleans(mask, expected)
    if array.shape not in (lengths, leading + lengths):
        raise InputError("mask", expected, f"shape {array.shape}")
    return array.reshape(-1, *lengths)


def as_mask(mask: Any, lengths: tuple[int, ...]) -> Mask | None:
    """Return the mask as a boolean array over tuples, shape ``lengths``; None stays None.

    Raises
    ------
    InputError
        If it is not boolean, of another shape, or leaves no tuple: then the output is undefined.
    """
    if mask is None:
        return None
    expected = f"booleans of shape {lengths}"
    array = _as_booleans(mask, expected)
    if array.shape != lengths:
        raise InputError("mask", expected, f"{array.dtype} of shape {array.shape}")
    if not array.any():
        raise InputError("mask", "at least one tuple, as an empty row has no output", "none")
    return array


def _as_booleans(mask: Any, expected: str) -> Mask:
    try:
        array = np.asarray(mask)
    except ValueError:
        raise InputError("mask", expected, "a ragged sequence") from None
    if array.dtype != np.bool_:
        raise InputError("mask", expected, f"{array.dtype} of shape {array.shape}")
    return array


@dataclass(frozen=True)
class Scale:
    """The scale ``σ = factor·√root`` of the logits, exactly; ``root`` is 1 or not a square."""

    factor: Fraction
    root: int


def as_scale(scale: Any, d: int) -> Scale:
    """Return the scale σ > 0: a rational number, or the text ``"1/sqrt(d)"``.

    Raises
    ------
    InputError
        If it is neither, or not positive.
    """
    if isinstance(scale, Scale):
        return scale
    if isinstance(scale, str) and scale == INVERSE_SQRT_D:
        root = isqrt(d)
        return Scale(Fraction(1, root), 1) if root * root == d else Scale(Fraction(1, d), d)
    try:
        factor = as_fraction(scale, "scale")
    except InputError as error:
        expected = f"a positive rational or {INVERSE_SQRT_D!r}"
        raise InputError("scale", expected, error.got) from None
    if factor <= 0:
        raise InputError("scale", f"a positive rational or {INVERSE_SQRT_D!r}", str(factor))
    return Scale(factor, 1)


def to_fmpq(x: Fraction | int) -> fmpq:
    """Return the same rational for FLINT."""
    return fmpq(x.numerator, x.denominator)


def to_fraction(x: fmpq) -> Fraction:
    """Return the same rational for Python."""
    return Fraction(int(x.p), int(x.q))


def ball_ends(ball: arb) -> tuple[Fraction, Fraction]:
    """Return the exact ends of a ball, whatever the working precision."""
    middle, radius = to_fraction(ball.mid().fmpq()), to_fraction(ball.rad().fmpq())
    return middle - radius, middle + radius

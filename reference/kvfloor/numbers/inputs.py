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
    "NATIVE",
    "Array",
    "Mask",
    "Matrix",
    "Scale",
    "Vector",
    "as_booleans",
    "as_count",
    "as_fraction",
    "as_mask",
    "as_matrix",
    "as_numpy",
    "as_positive",
    "as_scale",
    "as_slots",
    "as_vector",
    "ball_ends",
    "check_shapes",
    "named_slots",
    "shown",
    "to_fmpq",
    "to_fraction",
]

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

LEAST_EXPONENT = 2**18  # far beyond every format; rationals of this size are quick to handle
MOST_DIGITS = 20_000  # of a number given as text or with an exponent of ten
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
        raise InputError(argument, "a finite real number", shown(value)) from None


def as_positive(value: Any, argument: str) -> Fraction:
    """Return the exact rational value of a number > 0.

    Raises
    ------
    InputError
        If it is no such number.
    """
    number = as_fraction(value, argument)
    if number <= 0:
        raise InputError(argument, "a number > 0", shown(number))
    return number


def _exact(value: Any) -> Fraction:
    if isinstance(value, bool | np.bool_):
        raise TypeError
    if isinstance(value, Integral):
        return Fraction(int(value))
    if isinstance(value, Decimal | str):
        return _from_decimal(value)
    if isinstance(value, Rational | float):
        return Fraction(value)
    if isinstance(value, mpmath.mpf):
        if not mpmath.isfinite(value) or abs(value._mpf_[2]) > 4 * MOST_DIGITS:
            raise ValueError
        return Fraction(*mpmath.libmp.to_rational(value._mpf_))
    if isinstance(value, np.floating):
        return Fraction(*value.as_integer_ratio())
    if isinstance(value, np.generic) and value.dtype.kind in "Vf":
        # The formats of ml_dtypes (bfloat16, float8, ...) all embed in float64.
        return Fraction(float(value))
    raise TypeError


def _from_decimal(value: Decimal | str) -> Fraction:
    """A short text may denote a rational that does not fit in memory: 1e99999999."""
    text = str(value)
    exponent = text.lower().partition("e")[2]
    if len(text) > MOST_DIGITS or (exponent and abs(int(exponent)) > MOST_DIGITS):
        raise ValueError
    return Fraction(text)


def shown(value: Any) -> str:
    """Return a short text of a value that came, for an error."""
    try:
        text = str(value) if isinstance(value, Fraction) else repr(value)
    except ValueError:  # Python's limit on the digits of an int
        text = f"a {type(value).__name__} of very many digits"
    return text if len(text) <= 60 else text[:57] + "..."


def as_count(value: Any, argument: str, least: int = 0) -> int:
    """Return a whole number that is at least ``least``.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(argument, f"a whole number >= {least}", shown(value))
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
        raise InputError(argument, "a finite real number", shown(value))
    return as_fraction(value, argument)


def _entries(value: Any, argument: str, expected: str) -> list[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(argument, expected, "a masked array")
    if hasattr(value, "__array__"):
        array = as_numpy(value, argument, expected)
        if array.ndim == 0:
            raise InputError(argument, expected, f"a scalar {shown(value)}")
        # float64 holds these exactly, and a list of Python floats is far quicker to walk.
        value = array.tolist() if array.dtype in NATIVE else list(array)
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InputError(argument, expected, shown(value))
    if len(value) == 0:
        raise InputError(argument, expected, "an empty one")
    return list(value)


def as_numpy(value: Any, argument: str, expected: str) -> npt.NDArray[Any]:
    """Return what NumPy makes of it; tensors with gradients or on devices raise all sorts."""
    try:
        return np.asarray(value)
    except Exception as error:
        came = f"{type(value).__name__} that NumPy cannot read ({shown(str(error))})"
        raise InputError(argument, expected, came) from None


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
    K = tuple(as_matrix(*named) for named in named_slots(keys, "keys"))
    V = tuple(as_matrix(*named) for named in named_slots(values, "values"))
    check_shapes([(len(A), len(A[0])) for A in K], [(len(A), len(A[0])) for A in V], d)
    return K, V


def named_slots(arrays: Any, argument: str) -> list[tuple[Any, str]]:
    """Return the arrays of all slots with their names; `InputError` for order 0."""
    expected = "a sequence of m >= 1 two-dimensional arrays, one a slot"
    try:
        listed = list(arrays)
    except TypeError:
        raise InputError(argument, expected, shown(arrays)) from None
    if isinstance(arrays, str | bytes):
        raise InputError(argument, expected, shown(arrays))
    if not listed:
        raise InputError(argument, expected, "an empty one (order 0)")
    return [(array, f"{argument}[{r}]") for r, array in enumerate(listed)]


def check_shapes(K: list[Any], V: list[Any], d: int | None) -> None:
    """Refuse keys and values (given by their shapes) that do not fit each other."""
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
    array = as_booleans(mask, expected)
    if array.shape != lengths:
        raise InputError("mask", expected, f"{array.dtype} of shape {array.shape}")
    if not array.any():
        raise InputError("mask", "at least one tuple, as an empty row has no output", "none")
    return array


def as_booleans(mask: Any, expected: str) -> Mask:
    """Return a mask of any shape as a boolean array; `InputError` if it is not boolean."""
    if isinstance(mask, np.ma.MaskedArray):
        raise InputError("mask", expected, "a masked array")
    array = as_numpy(mask, "mask", expected)
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
    """Return rational bounds on a ball, whatever the working precision.

    They are its exact ends, but for the part below 2**-LEAST_EXPONENT, which is rounded outward:
    a ball around exp(-10**12) is no rational that fits in memory.

    Raises
    ------
    InputError
        If the ball is not finite, or too large for a rational.
    """
    if not ball.is_finite():
        raise InputError("ball", "a finite one", str(ball))
    (low, high), (_, radius) = _bounds(ball.mid()), _bounds(ball.rad())
    return low - radius, high + radius


def _bounds(number: arb) -> tuple[Fraction, Fraction]:
    mantissa, exponent = map(int, number.man_exp())
    if exponent > LEAST_EXPONENT:
        raise InputError("ball", f"a number below 2**{LEAST_EXPONENT}", str(number))
    if exponent >= 0:
        return Fraction(mantissa << exponent), Fraction(mantissa << exponent)
    if exponent >= -LEAST_EXPONENT:
        exact = Fraction(mantissa, 1 << -exponent)
        return exact, exact
    shift, unit = -exponent - LEAST_EXPONENT, Fraction(1, 1 << LEAST_EXPONENT)
    return (mantissa >> shift) * unit, -(-mantissa >> shift) * unit

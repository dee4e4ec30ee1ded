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
    "Mask",
    "Matrix",
    "Scale",
    "Vector",
    "as_count",
    "as_fraction",
    "as_mask",
    "as_matrix",
    "as_scale",
    "as_slots",
    "as_vector",
    "ball_ends",
    "shown",
    "to_fmpq",
    "to_fraction",
]

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]
Mask = npt.NDArray[np.bool_]

LEAST_EXPONENT = 2**18  # far beyond every format; rationals of this size are quick to handle
MOST_DIGITS = 20_000  # of a number given as text or with an exponent of ten
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
        array = _as_numpy(value, argument, expected)
        if array.ndim == 0:
            raise InputError(argument, expected, f"a scalar {shown(value)}")
        # float64 holds these exactly, and a list of Python floats is far quicker to walk.
        native = array.dtype in (np.float16, np.float32, np.float64)
        value = array.tolist() if native else list(array)
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InputError(argument, expected, shown(value))
    if len(value) == 0:
        raise InputError(argument, expected, "an empty one")
    return list(value)


def _as_numpy(value: Any, argument: str, expected: str) -> npt.NDArray[Any]:
    """What NumPy makes of it; tensors that need a gradient or live elsewhere raise all sorts."""
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
    K = _slots(keys, "keys")
    V = _slots(values, "values")
    if len(V) != len(K):
        raise InputError("values", f"{len(K)} arrays, one for each in keys", f"{len(V)}")
    d_v = len(V[0][0])
    wanted = ("query", d) if d is not None else ("keys[0]", len(K[0][0]))
    for r, (K_r, V_r) in enumerate(zip(K, V, strict=True)):
        if len(K_r[0]) != wanted[1]:
            expected = f"{wanted[1]} columns as in {wanted[0]}"
            raise InputError(f"keys[{r}]", expected, str(len(K_r[0])))
        if len(V_r) != len(K_r):
            raise InputError(f"values[{r}]", f"{len(K_r)} rows as in keys[{r}]", f"{len(V_r)}")
        if len(V_r[0]) != d_v:
            raise InputError(f"values[{r}]", f"{d_v} columns as in values[0]", f"{len(V_r[0])}")
    return K, V


def _slots(arrays: Any, argument: str) -> tuple[Matrix, ...]:
    expected = "a sequence of m >= 1 two-dimensional arrays, one a slot"
    try:
        listed = list(arrays)
    except TypeError:
        raise InputError(argument, expected, shown(arrays)) from None
    if isinstance(arrays, str | bytes):
        raise InputError(argument, expected, shown(arrays))
    if not listed:
        raise InputError(argument, expected, "an empty one (order 0)")
    return tuple(as_matrix(array, f"{argument}[{r}]") for r, array in enumerate(listed))


def as_mask(mask: Any, lengths: tuple[int, ...]) -> Mask | None:
    """Return the mask as a boolean array over tuples, shape ``lengths``; None stays None.

    Raises
    ------
    InputError
        If it is not boolean, of another shape, or leaves no tuple: then the output is undefined.
    """
    if mask is None:
        return None
    if isinstance(mask, np.ma.MaskedArray):
        raise InputError("mask", f"booleans of shape {lengths}", "a masked array")
    array = _as_numpy(mask, "mask", f"booleans of shape {lengths}")
    if array.dtype != np.bool_ or array.shape != lengths:
        came = f"{array.dtype} of shape {array.shape}"
        raise InputError("mask", f"booleans of shape {lengths}", came)
    if not array.any():
        raise InputError("mask", "at least one tuple, as an empty row has no output", "none")
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

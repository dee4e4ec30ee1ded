"""Numbers in, exact rationals out: a float stands for the rational it denotes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

import mpmath
import numpy as np
from flint import arb, fmpq

from kvfloor.errors import InputError
from kvfloor.numbers.frameworks import is_array, to_numpy

__all__ = [
    "as_count",
    "as_fraction",
    "as_positive",
    "ball_ends",
    "shown",
    "to_fmpq",
    "to_fraction",
]

LEAST_EXPONENT = 2**18  # far beyond every format; rationals of this size are quick to handle
PLAIN = (float, int, Fraction)  # most numbers by far, and so asked for first
MOST_DIGITS = 20_000  # of a number given as text or with an exponent of ten


def as_fraction(value: Any, argument: str) -> Fraction:
    """Return the exact rational value of a number.

    Parameters
    ----------
    value : int, float, Fraction, Decimal, mpf, NumPy or ml_dtypes scalar, array
        of any framework without axes, or text such as "1/8"
        A finite real number.
    argument : str
        Its name, for the error.

    Raises
    ------
    InputError
        If ``value`` is not a finite real number.
    """
    try:
        return Fraction(value) if type(value) in PLAIN else _exact(_scalar(value))
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


def _scalar(value: Any) -> Any:
    """The number in an array without axes, of any framework; what is no array, as it is."""
    if isinstance(value, np.generic) or not is_array(value):
        return value
    try:
        found = to_numpy(value)
    except Exception:  # a framework may raise anything
        raise TypeError from None
    return found[()]  # an array still, if it has axes, which is no number


def _from_decimal(value: Decimal | str) -> Fraction:
    """A short text may denote a rational that does not fit in memory: 1e99999999."""
    text = str(value)
    exponent = text.lower().partition("e")[2]
    if len(text) > MOST_DIGITS or (exponent and abs(int(exponent)) > MOST_DIGITS):
        raise ValueError
    return Fraction(text)


def shown(value: Any) -> str:
    """Return a short text of a value that came, for an error."""
    if isinstance(value, np.generic):
        value = value.item()
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

"""Binary floating-point formats: exact values, rounding, ulps (IEEE 754, and float8 of ml_dtypes).

All formats here embed in float64, so a rounded number is returned as the float that equals it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import copysign, inf, nan
from typing import Any, Literal

import ml_dtypes
import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError

__all__ = ["FORMATS", "BinaryFormat", "Rounding", "as_format", "as_rounding"]

Rounding = Literal["nearest", "up", "down", "zero"]
Array = npt.NDArray[np.float64]
WHOLE = {"nearest": np.rint, "up": np.ceil, "down": np.floor, "zero": np.trunc}
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "up", "down", "zero")

FORMATS = (
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
)


@dataclass(frozen=True)
class BinaryFormat:
    """A binary floating-point format.

    Attributes
    ----------
    name : str
        As NumPy or ml_dtypes names it.
    precision : int
        p, bits of the significand with the hidden one.
    min_exponent : int
        Exponent of the least normal number, ``2**min_exponent``.
    max_finite : Fraction
        The largest number.
    has_infinity : bool
        Without one, what overflows is NaN.
    """

    name: str
    precision: int
    min_exponent: int
    max_finite: Fraction
    has_infinity: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype."""
        return np.dtype(getattr(ml_dtypes, self.name, self.name))

    @property
    def unit_roundoff(self) -> Fraction:
        """U = 2**-p, the largest relative error of rounding to nearest."""
        return Fraction(1, 2**self.precision)

    def ulp(self, x: Fraction) -> Fraction:
        """Return the distance of neighbouring numbers of the format around ``|x|``.

        That is the ulp of the binade that holds ``|x|``; in the subnormal range, the least number.
        """
        exponent = self.min_exponent if x == 0 else max(_exponent(abs(x)), self.min_exponent)
        return Fraction(2) ** (exponent - self.precision + 1)

    def round(self, x: Fraction, rounding: Rounding = "nearest") -> float:
        """Return the correctly rounded value of a real number (IEEE 754-2019, 4.3).

        Parameters
        ----------
        x : Fraction
        rounding : "nearest", "up", "down" or "zero"
            Nearest, ties to even; toward +∞; toward -∞; toward 0.

        Returns
        -------
        float
            A number of the format, an infinity, or NaN where the format has none. Zero has the
            sign of ``x``; zero itself becomes +0.
        """
        quantum = self.ulp(x)
        steps = _whole(abs(x) / quantum, _magnitude_rounding(rounding, negative=x < 0))
        magnitude = steps * quantum
        if magnitude > self.max_finite:
            away = rounding == "nearest" or _magnitude_rounding(rounding, negative=x < 0) == "up"
            rounded = (inf if self.has_infinity else nan) if away else float(self.max_finite)
        else:
            rounded = float(magnitude)
        return copysign(rounded, -1.0 if x < 0 else 1.0)

    def holds(self, narrow: BinaryFormat) -> bool:
        """Whether all numbers of another format are numbers of this one."""
        return (
            self.precision >= narrow.precision
            and self.max_finite >= narrow.max_finite
            and self.min_exponent - self.precision <= narrow.min_exponent - narrow.precision
        )

    def round_array(self, x: Array, rounding: Rounding = "nearest") -> Array:
        """Return the same for an array of float64, with exact operations alone.

        Scaling by powers of two is exact here: the scaled numbers lie in the normal range.
        """
        exponent = self._ulp_exponents(x)
        if np.abs(exponent).max(initial=0) < 1000:  # factors are quicker, and float64 holds them
            steps = WHOLE[rounding](x * np.ldexp(1.0, -exponent))
            rounded: Array = np.copysign(steps * np.ldexp(1.0, exponent), x)
        else:
            steps = WHOLE[rounding](np.ldexp(x, -exponent))
            with np.errstate(over="ignore"):  # beyond float64 is beyond the format
                rounded = np.copysign(np.ldexp(steps, exponent), x)
        largest = float(self.max_finite)
        over = np.abs(rounded) > largest
        if over.any():
            beyond = np.inf if self.has_infinity else np.nan
            to_end = {
                "nearest": over & False,
                "zero": over,
                "up": over & (x < 0),
                "down": over & (x > 0),
            }
            rounded[over] = np.copysign(beyond, x[over])
            rounded[to_end[rounding]] = np.copysign(largest, x[to_end[rounding]])
        return rounded

    def is_halfway(self, x: Array) -> npt.NDArray[np.bool_]:
        """Tell which numbers of an array of float64 are halfway between two of the format.

        Any other that is a real number rounded to nearest rounds as the real number itself does.
        """
        steps = np.ldexp(x, -self._ulp_exponents(x))
        with np.errstate(invalid="ignore"):  # infinities
            return np.asarray(steps - np.floor(steps) == 0.5)

    def ulps(self, x: Array) -> Array:
        """Return `ulp` of each number of an array of float64."""
        return np.asarray(np.ldexp(1.0, self._ulp_exponents(x)))

    def _ulp_exponents(self, x: Array) -> npt.NDArray[np.int32]:
        exponents = np.where(x == 0, self.min_exponent, np.frexp(x)[1] - 1)
        return np.asarray(
            np.maximum(exponents, self.min_exponent) - self.precision + 1, dtype=np.int32
        )


def _exponent(x: Fraction) -> int:
    """Return ⌊log₂ x⌋ for x > 0, exactly."""
    guess = x.numerator.bit_length() - x.denominator.bit_length()
    return guess if x >= Fraction(2) ** guess else guess - 1


def _magnitude_rounding(rounding: Rounding, *, negative: bool) -> Rounding:
    """The rounding of |x| that does to x what ``rounding`` says."""
    if not negative or rounding in ("nearest", "zero"):
        return "down" if rounding == "zero" else rounding
    return "down" if rounding == "up" else "up"


def _whole(x: Fraction, rounding: Rounding) -> int:
    """Round x >= 0 to a whole number; Python's `round` of a Fraction is ties-to-even."""
    if rounding == "nearest":
        return round(x)
    return -(-x.numerator // x.denominator) if rounding == "up" else x.numerator // x.denominator


def as_format(dtype: Any) -> BinaryFormat:
    """Return the format of a dtype: a name in `FORMATS`, or one of NumPy, ml_dtypes or PyTorch.

    Raises
    ------
    InputError
        If it is none of them.
    """
    try:
        name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    except TypeError:
        name = repr(dtype).removeprefix("torch.")
    if dtype is None:  # NumPy takes it for float64
        name = "None"
    if name not in FORMATS:
        raise InputError.among("dtype", FORMATS, name)
    info = ml_dtypes.finfo(getattr(ml_dtypes, name, name))
    return BinaryFormat(
        name=name,
        precision=int(info.nmant) + 1,
        min_exponent=int(info.minexp),
        max_finite=Fraction(float(info.max)),
        has_infinity=name != "float8_e4m3fn",
    )


def as_rounding(rounding: Any) -> Rounding:
    """Return the rounding direction; `InputError` if it is unknown."""
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        raise InputError.among("rounding", ROUNDINGS, repr(rounding))
    result: Rounding = rounding
    return result

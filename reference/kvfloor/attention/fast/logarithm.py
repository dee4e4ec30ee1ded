"""The natural logarithm in float64 and in double-double, for log-sum-exp.

`log_single` sums a series; `log_double` corrects it by one Newton step with `exp_double`, whose
result is known as 1 + z with a tiny z. No library logarithm is trusted. Proofs in docs/fast.md.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Integer,
    Pair,
    fast_two_sum,
    multiply,
    two_sum,
)
from kvfloor.attention.fast.exponential import LN2, exp_double, pieces
from kvfloor.attention.fast.totals import Balls

__all__ = ["in_base_2", "log_double", "log_single"]

# 2·artanh(f) = Σ 2·f**(2i + 1) / (2i + 1), |f| <= 0.1716: the first term left out is 2**-60.
_ARTANH = tuple(2 / (2 * i + 1) for i in range(10, -1, -1))
_PER_LN2_HI, _PER_LN2_LO = (np.full(1, part) for part in pieces(1 / LN2, 52))
_LN2_HI, _LN2_MIDDLE, _LN2_LO = pieces(LN2, 26, 52)


def in_base_2(logsumexp: Balls) -> Balls:
    """Return log-sum-exps in base 2: 1/ln 2 is within 2**-104, the product within 9u²."""
    with np.errstate(all="ignore"):  # of -inf, and of what is no log-sum-exp
        hi, lo = multiply((logsumexp.hi, logsumexp.lo), (_PER_LN2_HI, _PER_LN2_LO))
        return Balls(hi, lo, 1.45 * logsumexp.radius + np.abs(hi) * 2.0**-100 + 2.0**-1000)


def _mantissa(x: Float) -> tuple[Float, Integer]:
    """Return (y, k) with x = y·2**k and 0.7 < y < 1.42."""
    y, k = np.frexp(x)
    small = y < sqrt(0.5)
    return np.where(small, 2 * y, y), k.astype(np.int64) - small


def _log_mantissa(y: Float) -> Float:
    """Natural logarithm for 0.7 < y < 1.42, absolute error below 2u."""
    f = (y - 1) / (y + 1)
    square = f * f
    series = np.full_like(f, _ARTANH[0])
    for c in _ARTANH[1:]:
        series = series * square + c
    return f * series


def log_single(x: Float, exponent: Integer) -> tuple[Float, Float]:
    """Return ln(x·2**exponent) for x > 0, ``|exponent| < 2**22``, and a bound of its error."""
    y, shift = _mantissa(x)
    k = (exponent + shift).astype(np.float64)
    result = k * _LN2_HI + (k * (_LN2_MIDDLE + _LN2_LO) + _log_mantissa(y))
    return result, UNIT * (2 * np.abs(result) + 3)


def log_double(x: Pair, exponent: Integer) -> tuple[Pair, Float]:
    """The same in double-double."""
    y, shift = _mantissa(x[0])
    guess = _log_mantissa(y)
    work = [np.empty_like(guess) for _ in range(5)]
    power, *inverse = exp_double(-guess, np.zeros_like(guess), work)
    hi, lo = multiply(
        (y, np.ldexp(x[1], -shift)), (np.ldexp(inverse[0], power), np.ldexp(inverse[1], power))
    )
    z = (hi - 1) + lo  # y·e^-guess = 1 + z, and ln(1 + z) = z up to z²
    k = (exponent + shift).astype(np.float64)
    hi, lo = two_sum(k * _LN2_HI, k * _LN2_MIDDLE)
    hi, rest = two_sum(hi, guess)
    hi, lo = fast_two_sum(hi, (lo + rest) + (z + k * _LN2_LO))
    return (hi, lo), np.abs(hi) * 2.0**-100 + 2.0**-80

"""Slopes of a soft cap at both levels, 1 - tanh²(s/c) = 4E/(1 + E)² with E = e^(-2·abs(s)/c).

Proofs in docs/fast.md.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Pair,
    divide,
    fast_two_sum,
    multiply,
    two_sum,
)
from kvfloor.attention.fast.exponential import (
    EXP2_SINGLE_ERROR,
    LN2,
    exp2_single,
    exp_double,
    exp_double_error,
)

__all__ = ["Steepness"]

_RANGE = 600.0  # of 2·abs(s)/c, in both units: slopes are normal numbers


class Steepness(NamedTuple):
    """A soft cap, as slopes see it.

    Attributes
    ----------
    softcap : Fraction
        c, in nats.
    """

    softcap: Fraction

    @property
    def factor(self) -> float:
        """2/c, by which the error of a logit becomes the relative error of its slope."""
        return float(2 / self.softcap)

    def exponents(self, products: Float) -> Float:
        """Bound 2·abs(s)/c where inner products are so bounded, in their units."""
        return np.asarray(products * self.factor * (1 + 4 * UNIT))

    def error(self, products: Float) -> Float:
        """Relative error of a slope in float64, and of a product by it, but for its logit's."""
        w = self.exponents(products)
        error = EXP2_SINGLE_ERROR + (2 * float(LN2) * w + 8) * UNIT
        return np.where(w <= _RANGE, error, np.inf)

    def pair_error(self, products: Float) -> Float:
        """The same in double-double."""
        w = self.exponents(products)
        return np.where(w <= _RANGE, exp_double_error(w) + (19 * w + 49) * UNIT**2, np.inf)

    def slopes(self, x: Float) -> Float:
        """Slopes at inner products in bits."""
        w = np.maximum(-np.abs(x) * self.factor, -_RANGE)
        y, k = np.empty_like(w), np.empty(w.shape, dtype=np.int64)
        exp2_single(w, y, k)
        E = np.ldexp(y, k)
        return np.asarray(4 * E / ((1 + E) * (1 + E)))

    def pair_slopes(self, x: Pair) -> Pair:
        """Slopes at inner products in nats, in double-double."""
        hi, lo = two_sum(*x)
        sign = np.where(hi > 0, -1.0, 1.0)
        two = 2 / self.softcap
        rest = float(two - Fraction(float(two)))
        hi, lo = multiply(
            (hi * sign, lo * sign), (np.full_like(hi, float(two)), np.full_like(hi, rest))
        )
        outside = ~(hi >= -_RANGE)
        hi, lo = np.where(outside, -_RANGE, hi), np.where(outside, 0.0, lo)
        k, hi, lo = exp_double(hi, lo, list(np.empty((5, *hi.shape))))
        E = np.ldexp(hi, k), np.ldexp(lo, k)
        total, rest_of = two_sum(np.ones_like(E[0]), E[0])
        whole = fast_two_sum(total, rest_of + E[1])
        return divide((4 * E[0], 4 * E[1]), multiply(whole, whole))

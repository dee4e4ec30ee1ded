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
    full_pair,
    multiply,
    two_sum,
)
from kvfloor.attention.fast.exponential import (
    EXP2_SINGLE_ERROR,
    EXP_FINE_ERROR,
    LN2,
    exp2_single,
    exp_double,
    exp_double_error,
    exp_fine,
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

    def pair_error(self, products: Float, *, fine: bool = False) -> Float:
        """The same in double-double, maybe of finer exponentials."""
        w = self.exponents(products)
        exp = EXP_FINE_ERROR if fine else exp_double_error(w)
        return np.where(w <= _RANGE, exp + (19 * w + 49) * UNIT**2, np.inf)

    def cap_error(self, products: Float) -> Float:
        """Absolute error of `pair_caps`, but for that of the inner products."""
        w = np.minimum(self.exponents(products), _RANGE)
        return np.asarray(float(self.softcap) * (EXP_FINE_ERROR / 2 + (10 * w + 49) * UNIT**2))

    def slopes(self, x: Float) -> Float:
        """Slopes at inner products in bits."""
        w = np.maximum(-np.abs(x) * self.factor, -_RANGE)
        y, k = np.empty_like(w), np.empty(w.shape, dtype=np.int64)
        exp2_single(w, y, k)
        E = np.ldexp(y, k)
        return np.asarray(4 * E / ((1 + E) * (1 + E)))

    def pair_slopes(self, x: Pair, *, fine: bool = False) -> Pair:
        """Slopes at inner products in nats, in double-double."""
        _, E = self._exponential(x, fine=fine)
        whole = _one_and(E)
        return divide((4 * E[0], 4 * E[1]), multiply(whole, whole))

    def pair_caps(self, x: Pair) -> Pair:
        """c·tanh(s/c) at inner products in nats, of finer exponentials."""
        sign, E = self._exponential(x, fine=True)
        ratio = divide(_one_and((-E[0], -E[1])), _one_and(E))
        return multiply((ratio[0] * sign, ratio[1] * sign), full_pair(self.softcap, sign))

    def _exponential(self, x: Pair, *, fine: bool) -> tuple[Float, Pair]:
        """The signs of inner products, and E."""
        hi, lo = two_sum(*x)
        sign = np.where(hi > 0, 1.0, -1.0)
        hi, lo = multiply((hi * -sign, lo * -sign), full_pair(2 / self.softcap, hi))
        outside = ~(hi >= -_RANGE)
        hi, lo = np.where(outside, -_RANGE, hi), np.where(outside, 0.0, lo)
        if fine:
            k, hi, lo = exp_fine(hi, lo)
        else:
            k, hi, lo = exp_double(hi, lo, list(np.empty((5, *hi.shape))))
        return sign, (np.ldexp(hi, k), np.ldexp(lo, k))


def _one_and(E: Pair) -> Pair:
    """1 + E, for E from -1 to 1."""
    total, rest = two_sum(np.ones_like(E[0]), E[0])
    return two_sum(total, rest + E[1])

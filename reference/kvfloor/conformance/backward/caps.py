"""Bounds on the slope of a soft cap, 1 - tanh²(s/c), which a logit's gradient is multiplied by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.attention import exp_above
from kvfloor.conformance.centred import Arithmetic
from kvfloor.conformance.sets import UNIT, Set
from kvfloor.floors import gamma, slope_error, slope_factor
from kvfloor.numbers import Array

__all__ = ["Slope", "find_slope"]

TANH_ROUNDINGS = 4  # a tanh may be the capped logit by c, and that a product by a reciprocal
MOST_EPSILON = 1 / 8
EXP_ABOVE = 2.0**-36  # what `exp_above` and a few operations may be above, of 4E/(1 + E)²


class Slope(NamedTuple):
    """Slopes of all tuples of a head, shape (n_q, N).

    Attributes
    ----------
    size, error : ndarray
        Bounds on them, and on their errors.
    above : ndarray
        What ``size`` may be above the slope, relatively.
    """

    size: Array
    error: Array
    above: Array


def find_slope(a: Arithmetic, plain: Set, c: float) -> Slope:
    """Return bounds on the slopes of a cap, by inner products without any terms.

    Notes
    -----
    E5 `gradient-error`. The slope is 4E/(1 + E)² with E = e^(-2·abs(s)/c), at most 1.
    """
    slack = plain.unit * plain.reach
    size = np.abs(plain.logits)
    least = np.maximum(size - slack, 0.0) / c
    E = np.minimum(exp_above(-2 * (1 - 4 * UNIT) * least), 1.0)
    slope = np.minimum(4 * E / (1 + E) ** 2 * (1 + 8 * UNIT), 1.0)
    off = a.logit * plain.reach + a.logit_lost
    drift = slope_factor(off, c)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.where(drift <= 1, slope * drift * (1 + drift), 1.0)
        square = np.minimum(((size + slack + off) / c) ** 2, 1.0)
    tanh = a.epsilon + gamma(TANH_ROUNDINGS, a.u) * (1 + a.epsilon)
    error = slope_error(slope, moved, square, tanh, a.u, a.epsilon) + 8 * a.half_least
    if a.epsilon > MOST_EPSILON:
        error = np.full_like(slope, np.inf)
    return Slope(slope, error, EXP_ABOVE + 5 * slack / c)

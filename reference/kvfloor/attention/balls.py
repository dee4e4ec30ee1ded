"""Arrays of balls, rounded to a format where all their numbers round alike (E2)."""

from __future__ import annotations

import numpy as np

from kvfloor.attention.fast import Balls
from kvfloor.attention.inputs import Mask
from kvfloor.numbers import Array, BinaryFormat, Rounding

__all__ = ["round_balls"]


def round_balls(balls: Balls, target: BinaryFormat, rounding: Rounding) -> tuple[Array, Mask]:
    """Round arrays of balls; say of each whether all its numbers round alike.

    Parameters
    ----------
    balls : Balls
        Centres ``hi + lo`` and radii; an infinite radius decides nothing.
    target : BinaryFormat
    rounding : Rounding

    Returns
    -------
    rounded : ndarray of float64
    decided : ndarray of bool
        Numbers beyond a narrow format are, too; beyond float64 none is.
    """
    with np.errstate(all="ignore"):
        if target.precision == 53:
            low, high = _exact_ends(balls, rounding)
        else:
            low, high = _ends(balls, target, rounding)
        same = (low == high) | (np.isnan(low) & np.isnan(high))
        same &= (np.signbit(low) == np.signbit(high)) & np.isfinite(balls.radius)
        return low, same & np.isfinite(low if target.precision == 53 else balls.hi)


def _ends(balls: Balls, target: BinaryFormat, rounding: Rounding) -> tuple[Array, Array]:
    """Round the ends of balls to a narrow format: float64 has room to step outward."""
    # Either end takes two additions of relative error 2**-53, of numbers below |hi| + 2·radius.
    margin = balls.radius + 2.0**-50 * (np.abs(balls.hi) + balls.radius) + 2.0**-1070
    ends = (balls.hi + (balls.lo + end) for end in (-margin, margin))
    low, high = (target.round_array(end, rounding) for end in ends)
    return low, high


def _exact_ends(balls: Balls, rounding: Rounding) -> tuple[Array, Array]:
    """Round the ends of balls to float64."""
    below = np.nextafter(balls.lo - balls.radius, -np.inf)
    above = np.nextafter(balls.lo + balls.radius, np.inf)
    return _sum(balls.hi, below, rounding), _sum(balls.hi, above, rounding)


def _sum(hi: Array, lo: Array, rounding: Rounding) -> Array:
    """Round hi + lo to float64."""
    total = hi + lo
    # two_sum: what the addition lost, exactly; then one step the right way
    part = total - hi
    lost = (hi - (total - part)) + (lo - part)
    return _directed(total, lost, rounding)


def _directed(total: Array, lost: Array, direction: Rounding) -> Array:
    """Turn the nearest sum into the one rounded in a direction."""
    if direction == "nearest":
        return total
    if direction == "zero":
        toward = np.where(total > 0, -np.inf, np.inf)
        # not by the sign of a product, which may underflow
        return np.where(np.sign(total) == -np.sign(lost), np.nextafter(total, toward), total)
    step = np.nextafter(total, np.inf if direction == "up" else -np.inf)
    return np.where(lost > 0 if direction == "up" else lost < 0, step, total)

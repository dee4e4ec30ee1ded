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
    """
    with np.errstate(all="ignore"):
        low = _sum(
            balls.hi, np.nextafter(balls.lo - balls.radius, -np.inf), target, rounding, "down"
        )
        high = _sum(balls.hi, np.nextafter(balls.lo + balls.radius, np.inf), target, rounding, "up")
        same = (low == high) & (np.signbit(low) == np.signbit(high))
        return low, same & np.isfinite(balls.radius) & np.isfinite(low)


def _sum(
    hi: Array, lo: Array, target: BinaryFormat, rounding: Rounding, outward: Rounding
) -> Array:
    """Round hi + lo to the target: exactly so for float64, else after a step outward."""
    direction = rounding if target.precision == 53 else outward
    total = hi + lo
    # two_sum: what the addition lost, exactly; then one step the right way
    part = total - hi
    lost = (hi - (total - part)) + (lo - part)
    total = _directed(total, lost, direction)
    return total if target.precision == 53 else target.round_array(total, rounding)


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

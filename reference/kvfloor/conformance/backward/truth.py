"""What is right for a backward pass: gradients enclosed in balls, and the middles of these."""

from __future__ import annotations

from math import inf, isfinite, nextafter
from typing import Any, NamedTuple

import numpy as np
from flint import arb

from kvfloor.attention import enclose_gradients
from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.target import named
from kvfloor.numbers import Array, arb_precision

__all__ = ["BITS", "Enclosed", "find_gradients"]

BITS = 128  # far beyond what bounds on float64's errors can see


class Enclosed(NamedTuple):
    """Gradients by name: dq, dK, dV, or dK_1, ..., dV_m; and dbias, dsink.

    Attributes
    ----------
    middle : dict of ndarray
        In float64; zero where zero is not excluded.
    radius : dict of ndarray
        How far the gradient may be from it, beyond what float64 rounds.
    """

    middle: dict[str, Array]
    radius: dict[str, Array]


def find_gradients(case: BackwardCase) -> Enclosed:
    """Return the gradients of a case.

    Notes
    -----
    D6 `gradients`, in balls. Which gradients are rationals is not asked, as the correctly rounded
    ones would have it: that takes minutes where logits are far apart, and moves no bound.
    """
    found = enclose_gradients(
        case.query,
        case.keys,
        case.values,
        case.cotangent,
        logsumexp_cotangent=case.logsumexp_cotangent,
        scale=case.sigma,
        mask=case.mask,
        **case.terms.arguments,
        bits=BITS,
    )
    balls: dict[str, Array] = named(found.query, found.keys, found.values)
    balls |= {f"d{name}": getattr(found, name) for name in case.differentiated}
    with arb_precision(BITS):
        parts = {name: _parts(array) for name, array in balls.items()}
    return Enclosed(*({name: each[k] for name, each in parts.items()} for k in range(2)))


def _parts(balls: Array) -> Array:
    flat = [_part(ball) for ball in balls.ravel().tolist()]
    return np.array(flat).reshape(-1, 2).T.reshape(2, *balls.shape)


def _part(ball: Any) -> tuple[float, float]:
    """The middle of a ball and how far it may be off: float64 rounds it once more."""
    middle, radius = float(ball), float(ball.rad())
    if 0 < 2 * radius < abs(middle) < inf:  # most are so; a radius has 30 bits
        return middle, radius
    if ball.contains(0):
        return 0.0, _above(ball)
    if not isfinite(middle):
        return 0.0, inf
    return middle, _above(arb(0, ball.rad()))


def _above(ball: Any) -> float:
    upper = float(ball.abs_upper())
    return nextafter(upper, inf) if upper else 0.0

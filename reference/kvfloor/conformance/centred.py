"""Bounds that follow each tuple's own logit: E4 `centred-error`.

Write the weights that are computed as C·p_t·(1 + ε_t), but for underflow, with one C for all. Then

    N/D - out = [Σ p_t·ε_t·(v_t - out) + Σ p_t·(1 + ε_t)·(θ_t·v_t - φ_t·out)] / (D/C)

as Σ p_t·(v_t - out) = 0: what is wrong in a weight acts on the deviation of its value from the
output. The roundings θ and φ of the sums do not share that. C is free: it is taken where the true
weights are, or where the heaviest tuple has no error at all, which is the only one that matters
where all others are far below it, however large their logits.

The quotient may be a product by a reciprocal, each as good as exp is declared to be.

A sum rounds to nearest, so that adding a term is off by the term itself at most. Terms that are too
light to move the sum by more than that are counted by their size, not by their number. A sum of
weights never falls, so that it is no less than that of those that are not light.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, nextafter
from typing import NamedTuple

import numpy as np
from flint import arb

from kvfloor.attention import exp_above
from kvfloor.conformance.sets import UNIT, Rows, Set, read_weights
from kvfloor.floors import (
    BASE_CHANGES,
    centred_error,
    gamma,
    least_sum,
    light_error,
    logsumexp_error,
    moved_sum,
    quotient_error,
    tuple_drift,
    weight_error,
)
from kvfloor.numbers import Array, arb_precision

__all__ = ["Arithmetic", "Bounds", "bound_rows"]

LIGHT = 0.25  # of a unit roundoff: terms up to that are counted by their size
NEAR = 2**15  # numbers that a processor has near to hand
LOST_GROWTH = 8  # of what underflow takes from a weight: more than 1 + `light_error`


class Arithmetic(NamedTuple):
    """What a target declares and a case's sizes leave, rounded up to float64.

    Attributes
    ----------
    order, rescalings, tuples : int
        m, R, and tuples N, hidden ones too.
    u : float
        Unit roundoff of the arithmetic.
    difference : float
        γ of what is done to a logit and the maximum: they are subtracted.
    stored : float
        Unit roundoff of weights that are stored; 0 if they are not.
    logit : float
        γ of a logit.
    logit_lost : float
        What underflow may change a logit by.
    exp : float
        What R + 1 exps may change the logarithm of a weight by.
    epsilon : float
        Relative error of exp, of log, and of the quotient that may be by a reciprocal.
    weight_lost, stored_lost : float
        What underflow may change a weight by, and once more where it is stored.
    products_lost : float
        What underflow of products may change a numerator by, without the values' size.
    half_least : float
        What the underflow of a result may change it by.
    """

    order: int
    rescalings: int
    tuples: int
    u: float
    difference: float
    stored: float
    logit: float
    logit_lost: float
    exp: float
    epsilon: float
    weight_lost: float
    stored_lost: float
    products_lost: float
    half_least: float


class Bounds(NamedTuple):
    """Bounds of R queries; inf where none is derived.

    Attributes
    ----------
    output : ndarray, shape (R, d_v)
    logsumexp : ndarray, shape (R,)
    """

    output: Array
    logsumexp: Array


def bound_rows(
    arithmetic: Arithmetic, part: Set, rows: Rows, kept: Array | None, output: Array, lse: Array
) -> Bounds:
    """Return the bounds of R queries.

    Parameters
    ----------
    arithmetic : Arithmetic
    part : Set
    rows : ndarray of int, shape (R,)
        Which queries.
    kept : ndarray of bool, shape (R, N), or None
        The tuples that they see, at least one each.
    output : ndarray, shape (R, d_v)
        Their outputs, correctly rounded to float64.
    lse : ndarray, shape (R,)
        Their log-sum-exps, the same.

    Notes
    -----
    E4 `centred-error`, E3 `forward-error` for the roundings of sums. Everything is a sum, product
    or quotient of numbers that are not negative, or has its rounding added, and N of them are off
    by N·2⁻⁵² relatively; they are rounded up by twice that.
    """
    a, s, S = arithmetic, part.logits[rows], part.reach[rows]
    seen, slack, logarithms, p = read_weights(part, rows, kept, lse)
    with np.errstate(all="ignore"):
        drift = _drift(a, s, S, part.capped[rows], slack, seen)
        error, W, moved = _least_error(logarithms, p, drift, _first_of(s, seen))
        top = 1 - (a.exp + a.rescalings * a.u + a.weight_lost)  # the heaviest weight, at least
        heavy = p > LIGHT * a.u
        k = a.order + heavy.sum(axis=1) + a.rescalings
        sums, products = gamma(np.maximum(k - a.order - 1, 0), a.u), gamma(k, a.u)
        growth = products + a.stored + products * a.stored
        P, size = p + W, np.abs(output)
        P_heavy, P_light = np.where(heavy, P, 0.0), np.where(heavy, 0.0, P)
        light = P_light.sum(axis=1)
        lost = 2 * a.tuples * a.weight_lost / top  # C is above top/2
        least = least_sum(error, light, lost, sums)
        derived = (error < 0.5) & (top > 0.5) & (k * a.u <= 0.5) & (least > 0.125)
        together = np.concatenate([P_heavy, P_light, W]) @ part.sizes
        of_heavy, of_light, of_errors = np.split(together, 3)
        above = growth[:, None] * of_heavy + light_error(growth)[:, None] * of_light
        below = (sums * P_heavy.sum(axis=1) + light_error(sums) * light)[:, None] * size
        underflow = a.weight_lost * LOST_GROWTH * (part.sums + a.tuples * size)
        underflow += 2 * a.stored_lost * part.sums + a.products_lost * part.largest
        deviation = _deviation(part, W, output, of_errors)
        bound = centred_error(deviation, above + below, least[:, None])
        bound += underflow / (top * (1 - sums))[:, None]
        bound = quotient_error(bound, a.epsilon, size) + a.half_least
        kappa = sums + light_error(sums) * light / (1 - error) + lost
        logs = np.array([_logarithm(int(count)) for count in seen.sum(axis=1)])
        off = logsumexp_error(
            moved, kappa, logs, np.abs(lse) * (1 + UNIT), u=a.u, epsilon=a.epsilon
        )
        off += BASE_CHANGES * a.half_least
    inflation = 1 + 2 * (s.shape[1] + 64) * UNIT
    return Bounds(
        np.where(derived[:, None], bound * inflation, inf),
        np.where(derived & (kappa < 0.5), off * inflation, inf),
    )


def _first_of(s: Array, seen: Array) -> Rows:
    """The heaviest tuple of each query."""
    return np.asarray(np.where(seen, s, -inf).argmax(axis=1))


def _deviation(part: Set, W: Array, output: Array, of_sizes: Array) -> Array:
    """Σ W_t·|v_t - out|, with Σ W_t·|v_t|; some tuples at a time, which stay near to hand."""
    total = np.zeros_like(output)
    each = max(1, NEAR // output.size)
    for first in range(0, len(part.values), each):
        some = slice(first, first + each)
        distances = part.values[some] - output[:, None]
        np.abs(distances, out=distances)
        total += (W[:, None, some] @ distances)[:, 0]
    sizes = of_sizes + W.sum(axis=1)[:, None] * np.abs(output)
    return np.asarray(total + (2 * part.unit + 4 * UNIT) * sizes)


def _drift(a: Arithmetic, s: Array, S: Array, capped: Array, slack: Array, seen: Array) -> Array:
    """Δ_t: what the logarithm of each weight may be off by, but for one number for all.

    A logit has its own error; the difference from the maximum is rounded, and no larger than that
    of the logits and what both are off by. A cap has a slope of 1 at most, so it passes on the
    error of a logit, and adds that of its tanh.
    """
    own = a.logit * S + a.logit_lost + a.epsilon * (1 + a.logit) * capped
    top = np.where(seen, s + slack + own, -inf).max(axis=1)
    gaps = top[:, None] - (s - slack) + own
    return np.where(seen, tuple_drift(own, a.difference, gaps, a.exp), 0.0)


def _least_error(
    logarithms: Array, p: Array, drift: Array, top: Rows
) -> tuple[Array, Array, Array]:
    """Return the lesser Σ p_t·E_t of the two choices of C, p_t·E_t, and what the sum moves by."""
    each = np.arange(len(top))
    plain = _errors(logarithms, p, drift)
    relative = _errors(logarithms, p, drift + drift[each, top][:, None])
    relative[each, top] = 0
    first, second = plain.sum(axis=1), relative.sum(axis=1)
    moved = np.minimum(_moved(first), _moved(second) + drift[each, top])
    chosen = first <= second
    return np.where(chosen, first, second), np.where(chosen[:, None], plain, relative), moved


def _moved(error: Array) -> Array:
    return np.where(error < 0.5, moved_sum(error), inf)


def _errors(logarithms: Array, p: Array, drift: Array) -> Array:
    """Bounds on p·(e^Δ - 1); beyond Δ = 1 that is below e^(ln p + Δ)."""
    small = p * weight_error(drift)
    large = (drift > 1) & (p > 0)
    if large.any():
        small[large] = exp_above(logarithms[large] + drift[large])
    return np.asarray(small)


@lru_cache(maxsize=1024)
def _logarithm(count: int) -> float:
    """A bound on ln N."""
    with arb_precision(64):
        return nextafter(float(arb(count).log().upper()), inf)

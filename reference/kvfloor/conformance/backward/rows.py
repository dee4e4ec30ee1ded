"""Bounds on what a backward pass computes for each query and tuple: p, dP, D, dz and ds (E5).

Everything is float64 of numbers that are not negative, or has its rounding added to it. N counts
the sink, where there is one: a tuple of value zero, the last.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from kvfloor.attention import exp_above
from kvfloor.conformance.backward.caps import Slope
from kvfloor.conformance.centred import Arithmetic
from kvfloor.conformance.sets import Set
from kvfloor.floors import delta_error, difference_error, exponent_drift, gamma, product_off
from kvfloor.numbers import Array

__all__ = [
    "EXP_ABOVE",
    "UNIT",
    "Forward",
    "Given",
    "Pair",
    "Spread",
    "differences",
    "logit_gradients",
    "roundings",
    "under_cap",
    "weights",
]

UNIT = 2.0**-52  # of the float64 that bounds are computed in, twice over
LN_2_ROUNDINGS = 2  # of a log-sum-exp whose base is changed: log₂ e, and the product by it
EXP_ABOVE = 2.0**-38  # what `exp_above` may be above, and more


class Pair(NamedTuple):
    """A bound on the size of a number, and one on its error."""

    size: Array
    error: Array


class Forward(NamedTuple):
    """What the forward pass of one head left, and how it is used.

    Attributes
    ----------
    output, logsumexp : ndarray, shapes (n_q, d_v) and (n_q,)
        The true ones, rounded to float64; in nats, and zero where a query sees nothing.
    output_off, logsumexp_off : ndarray, the same shapes
        Bounds on the errors of those that are read.
    delta_off : ndarray, shape (n_q,)
        A bound on Σ_c G·(read - true output).
    reads_output, reads_logsumexp : tuple of bool
        Whether it may be so that they are read, and that they are not.
    """

    output: Array
    logsumexp: Array
    output_off: Array
    logsumexp_off: Array
    delta_off: Array
    reads_output: tuple[bool, bool]
    reads_logsumexp: tuple[bool, bool]


class Given(NamedTuple):
    """One head of a case, in float64.

    Attributes
    ----------
    part : Set
        Logits and products of values.
    cotangent : ndarray, shape (n_q, d_v)
    logsumexp_cotangent : ndarray, shape (n_q, 1), or None
    seen : ndarray of bool, shape (n_q, N)
    forward : Forward
    """

    part: Set
    cotangent: Array
    logsumexp_cotangent: Array | None
    seen: Array
    forward: Forward


class Spread(NamedTuple):
    """What dz is made of besides p: x = dP - D + g, each bound of shape (n_q, N).

    Attributes
    ----------
    size : ndarray
        On abs(x).
    own : ndarray
        On the error of x, but for what all tuples of a query share.
    shared : ndarray, shape (n_q, 1)
        On that.
    most : float
        On every number on the way.
    """

    size: Array
    own: Array
    shared: Array
    most: float


def weights(a: Arithmetic, given: Given, lost: float) -> Pair:
    """Return bounds on p and on its error, shape (n_q, N).

    Notes
    -----
    E5 `gradient-error`. From a log-sum-exp l that is off by δ: the exponent ŝ - l̂ is off by the
    error of the logit, by δ, and by the rounding of the difference; exp adds ε. So p̂ = p·e^±Δ, Δ
    the sum.

    From a softmax of its own: Δ_t is the error of the logit, of the difference from the maximum
    and of exp, as in the forward pass, and ln p̂ is off by Δ_t and by what the sum moves,
    M = Σ p·(e^Δ - 1)/(1 - Σ p·(e^Δ - 1)); or the same with Δ_t + Δ_top, zero at the top tuple,
    where all are compared with it. To that comes the sum's own rounding and the quotient's.
    """
    part, forward, seen = given.part, given.forward, given.seen
    s, lse = part.logits, forward.logsumexp[:, None]
    slack = part.slack + part.unit * part.reach + 4 * UNIT * (np.abs(lse) + 1)
    logarithms = np.minimum(s + slack - lse, 0.0)
    p = np.where(seen, exp_above(logarithms), 0.0)
    own = a.logit * part.reach + a.logit_lost + a.epsilon * (1 + a.logit) * part.capped
    errors = []
    if forward.reads_logsumexp[0]:
        off = forward.logsumexp_off[:, None] + gamma(LN_2_ROUNDINGS, a.u) * np.abs(lse)
        exp = a.epsilon / (1 - a.epsilon)
        drift = exponent_drift(own, off, a.difference, np.abs(s - lse) + slack, exp)
        errors.append(_risen(p, logarithms, drift))
    if forward.reads_logsumexp[1]:
        errors.append(_risen(p, logarithms, _softmax_drift(a, given, own, slack, p, logarithms)))
    return Pair(p, np.maximum.reduce(errors) + lost)


def _softmax_drift(
    a: Arithmetic, given: Given, own: Array, slack: Array, p: Array, logarithms: Array
) -> Array:
    seen, s = given.seen, given.part.logits
    top = np.where(seen, s + slack + own, -inf).max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    drift = own + a.difference * (np.abs(top - s) + slack + own) + a.exp
    first = np.where(seen, s, -inf).argmax(axis=1)[:, None]
    relative = drift + np.take_along_axis(drift, first, axis=1)
    np.put_along_axis(relative, first, 0.0, axis=1)
    either = [
        each + _moved(np.where(seen, _risen(p, logarithms, each), 0.0).sum(axis=1))[:, None]
        for each in (drift, relative)
    ]
    terms = seen.sum(axis=1, keepdims=True) + a.rescalings
    kappa = roundings(terms, a.u) + 2 * a.tuples * a.weight_lost
    off = np.where(kappa < 0.5, kappa / (1 - np.minimum(kappa, 0.5)), inf)
    return np.asarray(np.minimum(*either) + off + a.epsilon / (1 - a.epsilon))


def _moved(error: Array) -> Array:
    return np.where(error < 0.5, error / (1 - np.minimum(error, 0.5)), inf)


def _risen(p: Array, logarithms: Array, drift: Array) -> Array:
    """Bounds on p·(e^Δ - 1): at most p·(Δ + Δ²) up to Δ = 1, else e^(ln p + Δ)."""
    small = p * np.minimum(drift, 1.0) * (1 + np.minimum(drift, 1.0))
    large = (drift > 1) & (p > 0)
    if large.any():
        small[large] = exp_above(np.minimum(logarithms[large] + drift[large], 700.0))
        small[large & (logarithms + drift > 700)] = inf
    return np.asarray(small)


def differences(a: Arithmetic, given: Given, p: Pair, order: int, lost: float) -> Spread:
    """Return bounds on x = dP - D + g and on its error.

    Notes
    -----
    dP_t = Σ_c G_c·v_tc has d_v - 1 sums, a product by G and m - 1 of values: γ·Σ|G·v|. From the
    output, D̂ = Σ G·ô has d_v roundings, and is off by Σ G·(ô - out), which all tuples share.
    From the weights, D̂ = Σ p̂·dP̂ is off by

        Σ (p̂ - p)·(dP - D) + D·Σ(p̂ - p) + Σ p̂·(dP̂ - dP), and N roundings of Σ p̂|dP̂|.

    x is one difference, two with g, in any order; or p·dP, p·D and p·g are: all is allowed for.
    """
    part, forward, G = given.part, given.forward, given.cotangent
    d_v = G.shape[1]
    size = np.abs(G)
    unit = (d_v + order + 4) * UNIT
    dP, dP_size = G @ part.values.T, size @ part.sizes.T * (1 + unit)
    dP_off = roundings(np.asarray(d_v + order - 1), a.u) * dP_size + lost
    D = (G * forward.output).sum(axis=1, keepdims=True)
    D_size = (size * np.abs(forward.output)).sum(axis=1, keepdims=True) * (1 + unit)
    spread = np.abs(dP - D) + unit * (dP_size + D_size)
    own, shared = np.zeros_like(D), np.zeros_like(D)
    if forward.reads_output[0]:
        read = D_size + (size * forward.output_off).sum(axis=1, keepdims=True)
        own = roundings(np.asarray(d_v), a.u) * read + lost
        shared = forward.delta_off[:, None]
    if forward.reads_output[1]:
        count = given.seen.sum(axis=1, keepdims=True) + 1
        weighed = np.where(given.seen, p.size + p.error, 0.0)
        computed = np.abs(dP) + unit * dP_size + dP_off
        off = delta_error(
            (p.error * spread).sum(axis=1, keepdims=True),
            p.error.sum(axis=1, keepdims=True),
            np.abs(D),
            (weighed * dP_off).sum(axis=1, keepdims=True),
        )
        off = off + roundings(count, a.u) * (weighed * computed).sum(axis=1, keepdims=True) + lost
        own = np.maximum(own, off)
    g = np.zeros_like(D) if given.logsumexp_cotangent is None else given.logsumexp_cotangent
    x = np.abs(dP - D + g) + unit * (dP_size + D_size + np.abs(g))
    parts = dP_size + D_size + np.abs(g) + dP_off + own + shared
    joins = 1 if given.logsumexp_cotangent is None else 2
    own = difference_error(x + shared, dP_off + own, parts, a.u, joins=joins)
    return Spread(x, own, shared, float(parts.max(initial=0.0)))


def logit_gradients(a: Arithmetic, p: Pair, x: Spread) -> tuple[Pair, Array]:
    """Return bounds on dz = p·x and its error without what is shared, and on p times that.

    Notes
    -----
    E5 `gradient-error`: p̂·x̂ - p·x = (p̂ - p)·x̂ + p·(x̂ - x), of which p·(what D is off by for
    all tuples) is shared.
    """
    rest = product_off(p.size, p.error, x.size + x.shared, x.own, a.u)
    # up to three products, and what is between them and the difference
    return Pair(p.size * x.size, rest + 6 * a.half_least), p.size * x.shared


def under_cap(
    a: Arithmetic, dz: Pair, x: Spread, shared: Array, slope: Slope
) -> tuple[Pair, Array]:
    """Return the same of ds = dz·(1 - tanh²), whose slope may be multiplied by p, or by x, first.

    Notes
    -----
    E5 `gradient-error`. What is shared is multiplied by the slope itself.
    """
    rest = product_off(dz.size + shared, dz.error, slope.size, slope.error, a.u)
    lost = (4 + 2 * x.most) * a.half_least  # of p by the slope, which meets x
    return Pair(dz.size * slope.size, rest + lost), shared * slope.size


def roundings(count: Array, u: float) -> Array:
    """γ of some counts; inf where they are too many."""
    few = np.minimum(count, 0.5 / u)
    return np.where(count * u <= 0.5, gamma(few, u), inf)

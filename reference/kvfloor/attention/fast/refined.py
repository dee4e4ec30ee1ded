"""Between the levels, at order 1: some numbers, each from its own row in double-double.

What level (a) leaves open goes on alone, a number for a row of logits. The leading parts of the
products in a logit are added without rounding, all else in pairs of float64. Unlike level (b) it
makes no slices of values, and few of keys: for many numbers of a row it is not worth it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Integer,
    Pair,
    divide,
    extract,
    gamma,
    halved,
    multiply,
    pair_sum,
    power_of_two,
    two_sum,
)
from kvfloor.attention.fast.exponential import EXPONENT_LIMIT, exp_double, exp_double_error
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logarithm import log_double
from kvfloor.attention.fast.operands import Prepared, Queries, scaled_queries
from kvfloor.attention.fast.slices import slice_bits
from kvfloor.attention.fast.tiling import Dropped, slices
from kvfloor.attention.fast.totals import INFLATION, TINY_OUTPUT, Balls, row_weights, scaled_back
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import NO_TERMS, Terms
from kvfloor.attention.windows import Intervals

__all__ = ["evaluate_refined"]

_ELEMENTS = 2**18  # weights kept at a time for the numbers, 8 bytes each
_LARGEST = 2.0**-12  # of a weight's relative error, so that `INFLATION` covers its square

Places = npt.NDArray[np.intp]


class _Rows(NamedTuple):
    """Weights of some queries, shape (r, n), their powers of two and a bound on their errors.

    The sinks' weights, if any, have shape (r,).
    """

    weights: Pair
    exponents: Integer
    errors: Float
    sinks: Pair | None


def evaluate_refined(
    prepared: Prepared,
    queries: Float,
    scale: Scale,
    mask: Mask | Intervals | None,
    places: tuple[Places, Places],
    terms: Terms = NO_TERMS,
) -> Balls:
    """Enclose some numbers of attention of order 1.

    Parameters
    ----------
    prepared, queries, scale, mask, terms
        As for `evaluate_single`.
    places : rows and columns of the p numbers
        Column d_v is the log-sum-exp.

    Returns
    -------
    Balls, shape (p,)
        Where the logits have G = Σ_c |σ·q_c|·max|K[·, c]| the radius of an output is about
        (d + 2)·2**-77·G·sd, for d = 64, and at least 2**-81·sd + 2**-99·(rms + |out|), where rms
        and sd are the root mean square of the values and their standard deviation. inf where
        ‖σq‖·max ‖K‖ passes 2·10**6 nats.

    Notes
    -----
    E4 `centred-error`; derived in docs/fast.md.
    """
    dropped, limit = Dropped.by(mask, prepared), 0.99 * EXPONENT_LIMIT
    joined = Joined.by(terms, prepared, bits=False)
    found = []
    with np.errstate(all="ignore"):
        for some in slices(len(places[0]), max(1, _ELEMENTS // prepared.shape[1])):
            rows, which = np.unique(places[0][some], return_inverse=True)
            g = scaled_queries(prepared, queries[rows], scale, unit=Fraction(1), limit=limit)
            weighed = _weigh(prepared, g, dropped.of(rows), joined.of(rows))
            found.append(_numbers(prepared, weighed, which, places[1][some]))
    return Balls(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _weigh(prepared: Prepared, g: Queries, dropped: Dropped, joined: Joined) -> _Rows:
    """The weights of all tokens, from logits whose leading products are added exactly."""
    n, d = prepared.shape[1], len(prepared.key_exponents)
    bits = slice_bits(d)
    size = np.abs(g.hi)
    unit = g.unit
    below = g.hi.copy()
    above = extract(below, unit[:, None] * 2.0**-bits)
    below += g.lo
    first, second = np.empty((len(size), n)), np.empty((len(size), n))
    start = 0
    for K in prepared.key_slots[0].blocks():
        tokens = slice(start, start + len(K))
        second[:, tokens] = np.matmul(below, K.T)
        head = extract(K, 2.0**-bits)
        np.matmul(above, head.T, out=first[:, tokens])  # exact
        second[:, tokens] += np.matmul(above, K.T)
        start += len(K)
    hi, lo = two_sum(first, second)
    everything, reach = (slice(0, len(size)), slice(0, 1), slice(0, n)), joined.reach(g.reach)
    joined.add_pair((hi[:, None], lo[:, None]), *everything)
    k, hi, lo = exp_double(hi, lo, list(np.empty((5, *hi.shape))))
    top, powers = row_weights(k[:, None], dropped(*everything), reach, above=0)
    products = (np.abs(above).sum(axis=1) + unit * prepared.longest) * 2.0 ** (-bits - 1)
    logits = gamma(d + 2) * products + 18 * UNIT**2 * g.reach + joined.error(g.reach)
    errors = logits + exp_double_error(reach)
    usable = np.isfinite(reach) & (errors <= _LARGEST) & joined.covers(g.reach, top[:, 0])
    weights, top = (hi * powers[:, 0], lo * powers[:, 0]), top[:, 0]
    return _with_sinks(_Rows(weights, top, np.where(usable, errors, np.inf), None), joined)


def _with_sinks(rows: _Rows, joined: Joined) -> _Rows:
    """Put the weights of the sinks beside those of the tokens, in the same units."""
    if (sinks := joined.sinks()) is None:
        return rows
    k, hi, lo = sinks
    top = np.maximum(rows.exponents, k)
    tokens, own = power_of_two(rows.exponents - top)[:, None], power_of_two(k - top)
    weights = rows.weights[0] * tokens, rows.weights[1] * tokens
    return _Rows(weights, top, rows.errors, (hi * own, lo * own))


def _numbers(
    prepared: Prepared, rows: _Rows, which: Places, columns: Places
) -> tuple[Float, Float, Float]:
    """Return the balls of numbers: the columns of the rows ``which``."""
    n, d_v = prepared.shape[1], len(prepared.value_exponents)
    last = columns == d_v
    total = halved(rows.weights)
    if rows.sinks is not None:
        total = pair_sum(total, rows.sinks)
    log, log_error = log_double(total, rows.exponents)
    values = prepared.value_slots[0].columns(np.where(last, 0, columns))
    weights, D = _of(rows.weights, which), _of(total, which)
    errors = np.where(D[0] > 0, rows.errors[which], np.inf)  # no tuple, no claim
    centre = divide(halved(multiply(weights, (values, np.zeros_like(values)))), D)
    size = np.abs(centre[0])
    values -= centre[0][:, None]
    squares = np.einsum("pj,pj,pj->p", weights[0], values, values) / D[0]
    if rows.sinks is not None:
        squares += rows.sinks[0][which] / D[0] * size**2
    additions = (n - 1).bit_length() + (rows.sinks is not None)
    roundings = UNIT**2 * (4 * additions + 9)
    spread = errors * np.sqrt(squares)
    spread += roundings * (np.sqrt(squares + size**2) + size) + 16 * UNIT**2 * size + TINY_OUTPUT
    log_radius = errors + roundings + log_error[which]
    balls = scaled_back(
        (np.where(last, log[0][which], centre[0]), np.where(last, log[1][which], centre[1])),
        np.where(last, log_radius, spread) * INFLATION,
        np.where(last, 0, np.append(prepared.value_exponents, 0)[columns]),
    )
    return balls.hi, balls.lo, balls.radius


def _of(x: Pair, which: Places) -> Pair:
    return x[0][which], x[1][which]

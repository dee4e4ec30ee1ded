"""Some numbers, each from its own row in double-double.

What a level leaves open goes on alone, a number for a row of logits: after level (a), at order 1,
with the leading products of a logit added without rounding, and after level (b) with all that
counts. Values are not cut into slices: for many numbers of a row it is not worth it.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
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
from kvfloor.attention.fast.exponential import (
    EXP_FINE_ERROR,
    EXPONENT_LIMIT,
    exp_double,
    exp_double_error,
    exp_fine,
)
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logarithm import log_double
from kvfloor.attention.fast.operands import Prepared, Queries, scaled_queries
from kvfloor.attention.fast.slices import coarse_rest, fine_products, fine_rest, slice_bits
from kvfloor.attention.fast.tiling import Dropped, slices
from kvfloor.attention.fast.totals import INFLATION, TINY, Balls, row_weights, scaled_back
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import NO_TERMS, Terms
from kvfloor.attention.windows import Intervals

__all__ = ["evaluate_refined"]

_ELEMENTS = 2**18  # weights kept at a time for the numbers, 8 bytes each
_LARGEST = 2.0**-12  # of a weight's relative error, so that `INFLATION` covers its square

Places = npt.NDArray[np.intp]


class _Rows(NamedTuple):
    """Weights of some queries, shape (r, tuples), their powers of two and a bound on their errors.

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
    *,
    fine: bool = False,
) -> Balls:
    """Enclose some numbers of tensor attention.

    Parameters
    ----------
    prepared, queries, scale, mask, terms
        As for `evaluate_single`. All weights of a query are in memory at once.
    places : rows and columns of the p numbers
        Column d_v is the log-sum-exp.
    fine : bool
        Finer logits and exponentials, at some four times the time.

    Returns
    -------
    Balls, shape (p,)
        Where the logits have G = Σ_c |σ·q_c|·Π_r max|K_r[·, c]| the radius of an output is about
        (d + 2)·2**-77·G·sd, for d = 64, and at least 2**-81·sd + 2**-99·(rms + |out|), where rms
        and sd are the root mean square of the values and their standard deviation; if fine, about
        2**-95·sd + 2**-99·(rms + |out|), but with soft caps. inf where ‖σq‖·max ‖K‖ passes 2·10**6
        nats.

    Notes
    -----
    E4 `centred-error`; derived in docs/fast.md.
    """
    dropped, limit = Dropped.by(mask, prepared), 0.99 * EXPONENT_LIMIT
    joined = Joined.by(terms, prepared, bits=False)
    step = max(1, _ELEMENTS // prod(prepared.shape))
    found = np.empty((3, len(places[0])))
    rows, which = np.unique(places[0], return_inverse=True)
    with np.errstate(all="ignore"):
        U, W = prepared.exact_rows(slice(0, prepared.shape[0]))
        for some in slices(len(rows), step):
            of = rows[some]
            g = scaled_queries(prepared, queries[of], scale, unit=Fraction(1), limit=limit)
            logits = (_fine_logits if fine else _plain_logits)(prepared, g, U)
            weighed = _weigh(prepared, g, logits, (dropped.of(of), joined.of(of)), fine=fine)
            theirs = np.flatnonzero((which >= some.start) & (which < some.stop))
            for part in slices(len(theirs), step):
                mine = theirs[part]
                at = which[mine] - some.start, places[1][mine]
                found[:, mine] = _numbers(prepared, weighed, W, at)
    return Balls(*found)


class _Logits(NamedTuple):
    """Inner products of some queries with all tuples, shape (r, rows, columns), and their errors.

    But for what is relative to them; shape (r,).
    """

    hi: Float
    lo: Float
    errors: Float


def _plain_logits(prepared: Prepared, g: Queries, U: Pair) -> _Logits:
    """Add the leading products exactly, and round all else once for each product."""
    d = len(prepared.key_exponents)
    bits, unit = slice_bits(d), g.unit[:, None, None]
    below, low = multiply((g.hi[:, None], g.lo[:, None]), U)
    above = extract(below, unit * 2.0**-bits)
    below += low
    first, second = np.empty((2, *below.shape[:2], prepared.shape[1]))
    for tokens, K in prepared.key_slots[-1].blocks():
        second[..., tokens] = np.matmul(below, K.T)
        head = extract(K, 2.0**-bits)
        first[..., tokens] = np.matmul(above, head.T)  # exact
        second[..., tokens] += np.matmul(above, K.T)
    rest = coarse_rest(np.abs(g.hi).sum(axis=1), g.unit, prepared.longest, d)
    return _Logits(*two_sum(first, second), gamma(d + 2) * rest)


def _fine_logits(prepared: Prepared, g: Queries, U: Pair) -> _Logits:
    """Add three orders of products exactly."""
    d = len(prepared.key_exponents)
    A = multiply((g.hi[:, None], g.lo[:, None]), U)
    hi, lo = np.empty((2, *A[0].shape[:2], prepared.shape[1]))
    for tokens, K in prepared.key_slots[-1].blocks():
        for part, found in zip((hi, lo), fine_products(K, A, g.unit[:, None, None]), strict=True):
            part[..., tokens] = found.reshape(*hi.shape[:2], len(K))
    rest = fine_rest(np.abs(g.hi).sum(axis=1), g.unit, prepared.longest, d)
    errors = gamma(d + 15) * rest + 18 * UNIT**2 * g.reach
    return _Logits(hi, lo, np.where(rest <= 2.0**-13, errors, np.inf))


def _weigh(
    prepared: Prepared,
    g: Queries,
    logits: _Logits,
    others: tuple[Dropped, Joined],
    *,
    fine: bool,
) -> _Rows:
    """Raise the logits of all tuples, once all that joins the inner products has done so."""
    dropped, joined = others
    b, rows, n = logits.hi.shape
    everything, reach = (slice(0, b), slice(0, rows), slice(0, n)), joined.reach(g.reach)
    joined.add_pair(logits[:2], *everything)
    hi, lo = logits.hi.reshape(b, -1), logits.lo.reshape(b, -1)
    if fine:
        k, hi, lo = exp_fine(hi, lo)
    else:
        k, hi, lo = exp_double(hi, lo, list(np.empty((5, *hi.shape))))
    missing = dropped(*everything)
    flat = None if missing is None else missing.reshape(len(missing), 1, -1)
    top, powers = row_weights(k[:, None], flat, reach, above=0)
    weights, top = (hi * powers[:, 0], lo * powers[:, 0]), top[:, 0]
    own = 9 * UNIT**2 * (len(prepared.key_slots) + 1) * g.reach + joined.error(g.reach)
    finest = fine and joined.terms.sink is None  # a sink has no finer exponential
    errors = logits.errors + own + (EXP_FINE_ERROR if finest else exp_double_error(reach))
    usable = np.isfinite(reach) & (errors <= _LARGEST) & joined.covers(g.reach, top)
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
    prepared: Prepared, rows: _Rows, W: Pair, places: tuple[Places, Places]
) -> tuple[Float, Float, Float]:
    """Return the balls of numbers: columns of rows."""
    which, columns = places
    d_v, m = len(prepared.value_exponents), len(prepared.value_slots)
    last = columns == d_v
    total = halved(rows.weights)
    if rows.sinks is not None:
        total = pair_sum(total, rows.sinks)
    log, log_error = log_double(total, rows.exponents)
    values = _values(prepared, W, np.where(last, 0, columns))
    weights, D = _of(rows.weights, which), _of(total, which)
    errors = np.where(D[0] > 0, rows.errors[which], np.inf)  # no tuple, no claim
    centre = divide(halved(multiply(weights, values)), D)
    size = np.abs(centre[0])
    deviations = values[0] - centre[0][:, None]
    squares = np.einsum("pj,pj,pj->p", weights[0], deviations, deviations) / D[0]
    if rows.sinks is not None:
        squares += rows.sinks[0][which] / D[0] * size**2
    rms = np.sqrt(squares + size**2)
    additions = (weights[0].shape[1] - 1).bit_length() + (rows.sinks is not None)
    roundings = UNIT**2 * (4 * additions + 9 * m)
    spread = errors * (np.sqrt(squares) + UNIT * rms)
    spread += roundings * (rms + size) + 16 * UNIT**2 * size + TINY
    log_radius = errors + roundings + log_error[which]
    balls = scaled_back(
        (np.where(last, log[0][which], centre[0]), np.where(last, log[1][which], centre[1])),
        np.where(last, log_radius, spread) * INFLATION,
        np.where(last, 0, np.append(prepared.value_exponents, 0)[columns]),
    )
    return balls.hi, balls.lo, balls.radius


def _values(prepared: Prepared, W: Pair, columns: Places) -> Pair:
    """Some columns of the values of all tuples, a row for each."""
    last = prepared.value_slots[-1].columns(columns)
    exact = last, np.zeros_like(last)
    if len(prepared.value_slots) == 1:
        return exact
    first = W[0].T[columns, :, None], W[1].T[columns, :, None]
    hi, lo = multiply(first, (exact[0][:, None], exact[1][:, None]))
    return hi.reshape(len(columns), -1), lo.reshape(len(columns), -1)


def _of(x: Pair, which: Places) -> Pair:
    return x[0][which], x[1][which]

"""Level (a): float64, with a radius that is good enough to round to float32 and below."""

from __future__ import annotations

from math import prod

import numpy as np

from kvfloor.attention.fast.arithmetic import UNIT, Float, Integer, gamma
from kvfloor.attention.fast.batch import in_batches
from kvfloor.attention.fast.centred import evaluate_centred
from kvfloor.attention.fast.elsewhere import BLOCK, Tuples
from kvfloor.attention.fast.exponential import EXP2_SINGLE_ERROR
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logarithm import log_single
from kvfloor.attention.fast.logits import LN2_ABOVE, logit_error, logit_limit
from kvfloor.attention.fast.operands import Prepared, Queries, rounded_queries
from kvfloor.attention.fast.tiling import Dropped, Tiling
from kvfloor.attention.fast.totals import (
    INFLATION,
    TINY,
    Evaluation,
    Totals,
    enclose,
    spread,
    weigh_rows,
)
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import NO_TERMS, Terms
from kvfloor.attention.windows import Intervals

__all__ = ["enclose_quotients", "evaluate_single"]

_COLUMNS, _ELEMENTS = 256, 2**15
_WIDE, _ROWS = 2**12, 256  # columns and rows of a tile on a device


def evaluate_single(
    prepared: Prepared,
    queries: Float,
    scale: Scale,
    mask: Mask | Intervals | None = None,
    terms: Terms = NO_TERMS,
    *,
    squares: bool = True,
) -> Evaluation:
    """Enclose tensor attention, evaluated in float64.

    Parameters
    ----------
    prepared : Prepared
        Keys and values, from `prepare`.
    queries : ndarray of float64, shape (b, d)
        Finite.
    scale : Scale
        σ.
    mask : boolean array, shape (n_1, ..., n_m) or (b or 1, n_1, ..., n_m), or Intervals, optional
        True keeps the tuple.
    terms : Terms
        Bias and sinks in float64, a soft cap within `CAPS`.
    squares : bool
        Whether squares of values are summed too, at order 1 and not on a device, for the bound.
        Without them it is wider: enough for 16 bits.

    Returns
    -------
    Evaluation
        Outputs of shape (b, d_v) and log-sum-exps of shape (b,), with proven radii. With u = 2**-53
        and Ā = Σ_t p_t·|v_t| the radius of an output is, within a small factor,

            u·[(d + m + 1)·S + r + c + k + m + 5]·(Ā + |out|)

        where S is the mean of ‖σq∘K_1∘…∘K_{m−1}‖ times that of ‖K_m‖, over tokens, and r, c, k are
        the rows and columns of a tile, at most 2**15 tuples, and the number of tiles. inf where
        ‖σq‖·max ‖K_m‖, with the other keys' columns scaled to 1, passes 1.4·10**6 nats, or a result
        the range of float64. At order 1 it is smaller: see `evaluate_centred`.

    Notes
    -----
    E3 `forward-error`; derived in docs/fast.md.
    """
    if len(prepared.key_slots) == 1:
        return evaluate_centred(prepared, queries, scale, mask, terms, squares=squares)

    def evaluate(some: Float, dropped: Dropped, joined: Joined) -> Evaluation:
        g = rounded_queries(prepared, some, scale, logit_limit(prepared))
        if (tuples := prepared.tuples_there) is None:
            tiling = _tiling(prepared, len(some))
            totals, added = _sum(prepared, g, dropped, joined, tiling), tiling.steps[2]
        else:
            tiling = Tiling.of(len(some), prepared.shape, _WIDE, _WIDE * _ROWS)
            totals = _sum_there(prepared, tuples, g, dropped, joined, tiling)
            added = BLOCK + -(-tiling.steps[2] // BLOCK)
        roundings = tiling.steps[1] + added + tiling.per_query
        return _enclose(prepared, g, totals, joined, roundings)

    joined = Joined.by(terms, prepared, bits=True)
    return in_batches(evaluate, prepared, queries, mask, joined)


def _tiling(prepared: Prepared, b: int) -> Tiling:
    """Tiles of at least 256 columns, and of more where there are few rows."""
    columns = max(_COLUMNS, _ELEMENTS // (b * prepared.shape[0]))
    return Tiling.of(b, prepared.shape, columns, _ELEMENTS)


def _sum(
    prepared: Prepared, g: Queries, dropped: Dropped, joined: Joined, tiling: Tiling
) -> Totals:
    """Sums of E·v, and of E·W² and E·α²·W² for the bound, over all tuples."""
    reach = joined.reach(g.reach)
    K, V = prepared.keys[-1], prepared.values[-1]
    totals = Totals(tiling, 3, V.shape[1])
    work = np.empty((3, tiling.elements))
    for q, rows in tiling.blocks():
        U, W = prepared.rows(rows)
        A = g.hi[q, None, :] * U
        lengths = np.einsum("qic,qic->qi", A, A)
        A, squares = A.reshape(-1, A.shape[-1]), np.square(W)
        for columns in tiling.across():
            if dropped.all_of(q, rows, columns):
                continue
            shape = *lengths.shape, columns.stop - columns.start
            x, y, scratch = work[:, : prod(shape)].reshape(3, *shape)
            np.matmul(A, K[columns].T, out=x.reshape(len(A), -1))
            joined.add(x, q, rows, columns)
            top = weigh_rows(x, y, scratch, dropped(q, rows, columns), reach[q])
            scale = totals.admit(q, top)
            totals.count(q, columns, scale, y)
            sums = np.matmul(y.reshape(len(A), -1), V[columns]).reshape(*lengths.shape, -1)
            sums *= scale[..., None]
            marginal = sums[..., -1]
            kinds = totals.sums[q]
            kinds[:, 0] += np.einsum("qic,ic->qc", sums, W)
            kinds[:, 1:] += np.stack([marginal, marginal * lengths], axis=1) @ squares
    _add_sinks(totals, joined)
    return totals


def _sum_there(
    prepared: Prepared,
    tuples: Tuples,
    g: Queries,
    dropped: Dropped,
    joined: Joined,
    tiling: Tiling,
) -> Totals:
    """The same on a device, in large tiles, each query's weights in one unit."""
    totals = Totals(tiling, 3, tuples.width)
    for q, rows in tiling.blocks():
        products = prepared.rows(rows)
        for columns in tiling.across():
            if dropped.all_of(q, rows, columns):
                continue
            tile = q, rows, columns
            top, sums, weights = tuples.sums(
                g.hi[q], products, columns, dropped(*tile), joined.joining(*tile)
            )
            scale = totals.admit(q, top[:, None])
            totals.sums[q] += sums * scale[..., None]
            totals.columns[q, columns] += weights * scale
    _add_sinks(totals, joined)
    return totals


def _add_sinks(totals: Totals, joined: Joined) -> None:
    if (sinks := joined.sinks()) is not None:
        k, y, _ = sinks
        totals.count_sinks(y * totals.admit_sinks(k, above=0))


def _enclose(
    prepared: Prepared, g: Queries, totals: Totals, joined: Joined, roundings: int
) -> Evaluation:
    """Enclose quotients of sums whose terms are rounded so often, but for values of rows."""
    N, rows, long_rows = np.moveaxis(totals.sums, 1, 0)
    columns = prepared.times_squares(totals.columns)
    long_columns = prepared.times_squares(totals.columns * np.square(prepared.column_norms))
    # Cauchy and Schwarz: Σ E·|W·V| <= √(Σ E·W² · Σ E·V²), and likewise with logit errors α·β.
    roundings += len(prepared.key_slots) + joined.additions
    weights = gamma(roundings) + EXP2_SINGLE_ERROR + LN2_ABOVE * joined.error(g.reach)[:, None]
    error = weights * np.sqrt(rows * columns)
    error[:, -1:] += weights * totals.sinks
    error += logit_error(prepared) * LN2_ABOVE * np.sqrt(long_rows * long_columns)
    usable = np.isfinite(joined.reach(g.reach)) & joined.covers(g.reach, totals.exponent)
    return enclose_quotients(prepared, N, error, usable, totals.exponent)


def enclose_quotients(
    prepared: Prepared, sums: Float, error: Float, usable: Mask, exponent: Integer
) -> Evaluation:
    """Enclose quotients of sums, shape (b, d_v + 1), by the last, where errors are at most these.

    Nothing is claimed of a query that is not usable; sums are in units of 2**exponent.
    """
    D = sums[:, -1:]
    error = error * INFLATION + TINY * D
    centre = sums / D
    radius = np.where(usable[:, None], spread(centre, error, D, 2 * UNIT), np.inf)
    log, log_error = log_single(D[:, 0], exponent)
    zeros = np.zeros((1, centre.shape[1]))
    return enclose(
        D[:, 0] == 0,
        (centre, zeros),
        radius,
        (log, zeros[:, 0]),
        log_error,
        prepared.value_exponents,
    )

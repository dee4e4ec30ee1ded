"""Level (b): double-double, with a radius that is good enough to round to float64."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Pair,
    add_to,
    divide,
    extract,
    gamma,
    multiply,
    two_sum_into,
)
from kvfloor.attention.fast.batch import in_batches
from kvfloor.attention.fast.exponential import EXPONENT_LIMIT, exp_double, exp_double_error
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logarithm import log_double
from kvfloor.attention.fast.operands import Prepared, Queries, scaled_queries
from kvfloor.attention.fast.slices import (
    KeySlices,
    ValueSlices,
    key_rest,
    slice_bits,
    split,
    value_error,
)
from kvfloor.attention.fast.tiling import Dropped, Tiling
from kvfloor.attention.fast.totals import (
    INFLATION,
    TINY,
    Evaluation,
    Totals,
    enclose,
    row_weights,
    spread,
)
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import NO_TERMS, Terms
from kvfloor.attention.windows import Intervals

__all__ = ["evaluate_double", "pair_logits"]

_ELEMENTS = 2**14


def evaluate_double(
    prepared: Prepared,
    queries: Float,
    scale: Scale,
    mask: Mask | Intervals | None = None,
    terms: Terms = NO_TERMS,
) -> Evaluation:
    """Enclose tensor attention, evaluated in double-double.

    Parameters and result are those of `evaluate_single`. With Ā = Σ_t p_t·|v_t| the radius of an
    output is, for d = 64 and within a small factor,

        (2**-81 + 2**-89·G)·(Ā + |out|) + 2**-80·w

    where G = Σ_c |σ·q_c|·Π_r max|K_r[·, c]|, and w is the largest |v| of the column times the share
    that the largest weights of rows have in all weights. The term with G grows like d². inf, too,
    where d·G passes about 2**33.

    Notes
    -----
    E3 `forward-error`; derived in docs/fast.md.
    """

    def evaluate(some: Float, dropped: Dropped, joined: Joined) -> Evaluation:
        limit = 0.99 * EXPONENT_LIMIT
        query = scaled_queries(prepared, some, scale, unit=Fraction(1), limit=limit)
        g = _ranged(prepared, query)
        tiling = Tiling.of(len(some), prepared.shape, prepared.block, _ELEMENTS)
        totals = _sum(prepared, g, dropped, joined, tiling)
        return _enclose(prepared, g, totals, joined, tiling)

    joined = Joined.by(terms, prepared, bits=False)
    return in_batches(evaluate, prepared, queries, mask, joined)


@dataclass(frozen=True, eq=False)
class _Ranged:
    """Queries with the range of their entries.

    Attributes
    ----------
    query : Queries
    unit : ndarray, shape (b, 1, 1)
        Powers of two >= 1, no entry is larger.
    rest : ndarray, shape (b,)
        A bound of Σ_c |product with a rest|, for every logit.
    """

    query: Queries
    unit: Float
    rest: Float


def _ranged(prepared: Prepared, query: Queries) -> _Ranged:
    size = np.abs(query.hi)
    rest = key_rest(size.sum(axis=1), query.unit, prepared.longest, size.shape[1])
    return _Ranged(query, query.unit[:, None, None], rest)


def _sum(
    prepared: Prepared, g: _Ranged, dropped: Dropped, joined: Joined, tiling: Tiling
) -> Totals:
    """Sums of P·v in double-double, and for the bound of P·W² and of |W| over rows."""
    reach = joined.reach(g.query.reach)
    totals = Totals(tiling, 4, len(prepared.value_exponents) + 1)
    once = tiling.rows == 1 and tiling.queries <= tiling.steps[0]
    slices = _Slices(prepared, once=once)
    work = np.empty((7, tiling.elements))
    for q, rows in tiling.blocks():
        U, W = prepared.exact_rows(rows)
        A = multiply((g.query.hi[q, None], g.query.lo[q, None]), U)
        left = np.concatenate(split(*A, slice_bits(A[0].shape[2]), g.unit[q])[::-1], axis=2)
        lengths, left = left.shape[:2], left.reshape(-1, left.shape[2])
        squares, sizes = np.square(W[0]), np.abs(W[0])
        for columns in tiling.across():
            if dropped.all_of(q, rows, columns):
                continue
            shape = *lengths, columns.stop - columns.start
            tile = work[:, : prod(shape)].reshape(7, len(left), -1)
            K, V = slices.at(columns)
            x = pair_logits(K, left, tile)
            joined.add_pair((x[0].reshape(shape), x[1].reshape(shape)), q, rows, columns)
            k, hi, lo = exp_double(*x, (*tile[:2], *tile[4:]))
            top, weights = row_weights(
                k.reshape(shape), dropped(q, rows, columns), reach[q], above=1
            )
            hi *= weights.reshape(hi.shape)
            lo *= weights.reshape(lo.shape)
            scale = totals.admit(q, top)
            totals.count(q, columns, scale, hi.reshape(shape))
            T_hi, T_lo = V.products(split(hi, lo, V.bits))
            T = T_hi.reshape(*lengths, -1), T_lo.reshape(*lengths, -1)
            for part in T:
                np.multiply(part, scale[..., None], out=part)
            kinds = totals.sums[q]
            kinds[:, 2] += np.matmul(T[0][:, None, :, -1], squares)[:, 0]
            kinds[:, 3] += np.matmul(scale[:, None], sizes)[:, 0]
            for part in _row_sums(multiply(W, T), shape[-1]):
                add_to(kinds[:, 0], kinds[:, 1], part)
    if (sinks := joined.sinks()) is not None:
        k, hi, lo = sinks
        scale = totals.admit_sinks(k, above=1)
        totals.count_sinks(hi * scale, lo * scale)
    return totals


class _Slices:
    """Slices of the keys and values of a tile: made for it, in the same memory, if seen once."""

    def __init__(self, prepared: Prepared, *, once: bool) -> None:
        self._prepared, self._once = prepared, once
        if once:
            J, d, width = (
                prepared.block,
                *map(len, (prepared.key_exponents, prepared.value_exponents)),
            )
            self._tile = np.empty((J, d)), np.ones((J, width + 1))
            self._keys = np.empty((J, 2, d)), np.empty((J, 3, d))
            self._values = np.empty((J, 3, width + 1)), np.empty((J, 2, width + 1))

    def at(self, columns: slice) -> tuple[KeySlices, ValueSlices]:
        """Return them, to be used before they are asked for again."""
        prepared = self._prepared
        if not self._once:
            return prepared.key_slices.at(columns), prepared.value_slices.at(columns)
        J = columns.stop - columns.start
        K, V = (part[:J] for part in self._tile)
        prepared.key_slots[-1].write(columns, K)
        prepared.value_slots[-1].write(columns, V)
        keys, values = ((a[:J], b[:J]) for a, b in (self._keys, self._values))
        return KeySlices.of(K, keys), ValueSlices.of(V, prepared.block, values)


def pair_logits(K: KeySlices, left: Float, work: Float) -> Pair:
    """Logits, in the third and the fourth of the arrays."""
    first, second, third, hi, t = work[:5]
    K.products(left, (first, second, third))
    two_sum_into(first, second, hi, t)
    third += first
    return hi, third


def _row_sums(x: Pair, limit: int) -> tuple[Float, Float, Float]:
    """Sum x over axis 1 in three parts, of which two are exact. ``|x| <= limit``."""
    units = _row_units(x[0].shape[1], limit)
    heads = [extract(x[0], unit).sum(axis=1) for unit in units]
    return heads[0], heads[1], (x[0] + x[1]).sum(axis=1)


def _row_units(rows: int, limit: int) -> tuple[float, float]:
    bits = (rows - 1).bit_length()
    unit = 2.0 ** (bits + limit.bit_length() - 51)
    return unit, unit * 2.0 ** (bits - 52)


def _enclose(
    prepared: Prepared, g: _Ranged, totals: Totals, joined: Joined, tiling: Tiling
) -> Evaluation:
    hi, lo, rows, row_ends = np.moveaxis(totals.sums, 1, 0)
    D = hi[:, -1:], lo[:, -1:]
    mean = np.sqrt(rows * prepared.times_squares(totals.columns))
    reach = joined.reach(g.query.reach)
    weights = _relative_error(prepared, g, tiling) + joined.error(g.query.reach)
    weights += 9 * UNIT**2 * joined.additions + exp_double_error(reach)
    weights = weights[:, None]
    error = weights * mean
    error[:, -1:] += weights * totals.sinks
    error += value_error(prepared.block) * row_ends + _sum_error(tiling)
    error = error * INFLATION + TINY * D[0]
    centre = divide((hi, lo), D)
    radius = spread(centre[0], error, D[0], 2.0**-100)
    usable = np.isfinite(reach) & (g.rest <= 2.0**-13)
    usable &= joined.covers(g.query.reach, totals.exponent)
    radius = np.where(usable[:, None], radius, np.inf)
    log, log_error = log_double((hi[:, -1], lo[:, -1]), totals.exponent)
    return enclose(totals.empty, centre, radius, log, log_error, prepared.value_exponents)


def _relative_error(prepared: Prepared, g: _Ranged, tiling: Tiling) -> Float:
    """Relative error of weights, from their logits, and of operations, shape (b,)."""
    d, m = len(prepared.key_exponents), len(prepared.key_slots)
    logits = gamma(3 * d + 12) * g.rest + 9 * UNIT**2 * (m + 2) * g.query.reach
    operations = tiling.per_query + tiling.steps[1] + m + 8
    return logits + 9 * UNIT**2 * operations


def _sum_error(tiling: Tiling) -> float:
    """Error of the sums over rows, where it is not relative."""
    rows, columns = tiling.steps[1:]
    return gamma(rows + 1) * rows * _row_units(rows, columns)[1] * tiling.per_query

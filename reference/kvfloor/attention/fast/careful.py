"""Few numbers of order 2 and above, in float64 again: logits that hardly round, and short sums.

Logits are those of `refined`; a weight is a number of float64 as it is, with the low part of its
logit multiplied in. It costs some three products of level (a), where double-double costs ten.
"""

from __future__ import annotations

from math import prod

import numpy as np

from kvfloor.attention.fast.arithmetic import UNIT, Float, extract, gamma, multiply, two_sum_into
from kvfloor.attention.fast.batch import in_batches
from kvfloor.attention.fast.exponential import EXP2_SINGLE_ERROR, LN2, exp2_narrow
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logits import LN2_ABOVE
from kvfloor.attention.fast.operands import Prepared, Queries, scaled_queries
from kvfloor.attention.fast.single import enclose_quotients
from kvfloor.attention.fast.slices import coarse_rest, slice_bits
from kvfloor.attention.fast.tiling import Dropped, Tiling
from kvfloor.attention.fast.totals import NARROW, Evaluation
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import NO_TERMS, Terms
from kvfloor.attention.windows import Intervals

__all__ = ["evaluate_careful"]

_COLUMNS, _ELEMENTS = 256, 2**15
_BLOCK = 32  # weights that a product of matrices adds at a time


def evaluate_careful(
    prepared: Prepared,
    queries: Float,
    scale: Scale,
    mask: Mask | Intervals | None = None,
    terms: Terms = NO_TERMS,
) -> Evaluation:
    """Enclose tensor attention of order 2 and above, for few columns of values.

    Parameters and result are those of `evaluate_single`. With Ā = Σ p·|v| the radius of an output
    is about u·(6 + r)·(Ā + |out|), where r is 33 and the tiles of a row, the tiles of a column, and
    the logarithm of a tile's rows. inf where ‖σq‖·max ‖K‖ passes 128 bits, or there is a bias or a
    soft cap.

    Notes
    -----
    E3 `forward-error`; derived in docs/fast.md.
    """

    def evaluate(some: Float, dropped: Dropped, joined: Joined) -> Evaluation:
        limit = NARROW if terms.bias is None and terms.softcap is None else -1
        g = scaled_queries(prepared, some, scale, unit=LN2, limit=limit)
        tiling = Tiling.of(len(some), prepared.shape, _COLUMNS, _ELEMENTS)
        sums = np.ones((2, len(some), len(prepared.value_exponents) + 1))
        if np.isfinite(g.reach).any():
            sums = _sum(prepared, g, dropped, tiling)
        return _enclose(prepared, g, sums, joined, tiling)

    joined = Joined.by(terms, prepared, bits=True)
    return in_batches(evaluate, prepared, queries, mask, joined)


def _sum(prepared: Prepared, g: Queries, dropped: Dropped, tiling: Tiling) -> Float:
    """Σ E·v and Σ E·|v| of each query, shape (2, b, d_v + 1)."""
    V, bits = prepared.values[-1], slice_bits(len(prepared.key_exponents))
    both = np.hstack([V, np.abs(V)])
    sums = np.zeros((tiling.queries, both.shape[1]))
    work = np.empty((4, tiling.elements))
    for q, rows in tiling.blocks():
        U, _ = prepared.exact_rows(rows)
        _, W = prepared.rows(rows)
        below, low = multiply((g.hi[q, None], g.lo[q, None]), U)
        above = extract(below, g.unit[q, None, None] * 2.0**-bits)
        below += low
        lengths, heads = above.shape[:2], above.reshape(-1, above.shape[2])
        pairs = np.hstack([below.reshape(heads.shape), heads])
        found = np.zeros((len(heads), both.shape[1]))
        for columns in tiling.across():
            if dropped.all_of(q, rows, columns):
                continue
            shape = len(heads), columns.stop - columns.start
            first, second, x, scratch = work[:, : prod(shape)].reshape(4, *shape)
            K = prepared.key_slices.at(columns).factors
            width = min(pairs.shape[1], K[2].shape[1])  # tails that are zero are left out
            np.matmul(heads, K[0].T, out=first)  # exact
            np.matmul(pairs[:, :width], K[2][:, :width].T, out=second)
            two_sum_into(first, second, x, scratch)  # the error is in the first
            exp2_narrow(x, second, scratch)
            first *= float(LN2)
            first *= second
            second += first
            missing = dropped(q, rows, columns)
            if missing is not None:
                np.copyto(second.reshape(*lengths, -1), 0.0, where=missing)
            found += _products(second, both[columns])
        parts = found.reshape(*lengths, -1) * np.hstack([W, np.abs(W)])
        sums[q] += _halved(parts)
    return np.swapaxes(sums.reshape(len(sums), 2, -1), 0, 1)


def _products(weights: Float, values: Float) -> Float:
    """Weights times values, `_BLOCK` of them at a time, and then the blocks."""
    found: Float = np.matmul(weights[:, :_BLOCK], values[:_BLOCK])
    for i in range(_BLOCK, len(values), _BLOCK):
        found += np.matmul(weights[:, i : i + _BLOCK], values[i : i + _BLOCK])
    return found


def _halved(x: Float) -> Float:
    """Sum over axis 1 by adding halves: a term passes ⌈log₂ n⌉ additions."""
    while (n := x.shape[1]) > 1:
        half = (n + 1) // 2
        total = x[:, :half].copy()
        total[:, : n - half] += x[:, half:]
        x = total
    return np.asarray(x[:, 0])


def _enclose(
    prepared: Prepared, g: Queries, sums: Float, joined: Joined, tiling: Tiling
) -> Evaluation:
    total, size = sums
    reach = joined.reach(g.reach)
    if (sinks := joined.sinks()) is not None:
        k, y, _ = sinks
        weights = np.ldexp(y, np.where(reach <= NARROW, k, 0))
        for part in sums:
            part[:, -1] += weights
    _, rows, columns = tiling.steps
    roundings = _BLOCK + -(-columns // _BLOCK) + -(-tiling.columns // columns)
    roundings += 1 + (rows - 1).bit_length() + -(-tiling.rows // rows)
    roundings += len(prepared.key_slots) - 2 + joined.additions
    logits = _logit_errors(prepared, g) + joined.error(g.reach)
    errors = gamma(roundings) + EXP2_SINGLE_ERROR + UNIT + LN2_ABOVE * logits
    usable = (reach <= NARROW) & (errors <= 2.0**-12)
    exponent = np.zeros(len(total), dtype=np.int64)
    return enclose_quotients(prepared, total, errors[:, None] * size, usable, exponent)


def _logit_errors(prepared: Prepared, g: Queries) -> Float:
    """Errors of the logits, in bits, shape (b,)."""
    d, m = len(prepared.key_exponents), len(prepared.key_slots)
    rest = coarse_rest(np.abs(g.hi).sum(axis=1), g.unit, prepared.longest, d)
    return np.asarray(gamma(2 * d + 2) * rest + 9 * UNIT**2 * m * g.reach)

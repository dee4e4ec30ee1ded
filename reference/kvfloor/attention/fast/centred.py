"""Level (a) at order 1: a product for the logits, one for all sums, and a bound about the output.

Errors of weights move an output only as far as values differ from it (E4).
"""

from __future__ import annotations

import numpy as np

from kvfloor.attention.fast.arithmetic import UNIT, Float, gamma
from kvfloor.attention.fast.batch import in_batches
from kvfloor.attention.fast.elsewhere import BLOCK, Tokens
from kvfloor.attention.fast.exponential import EXP2_SINGLE_ERROR
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logarithm import log_single
from kvfloor.attention.fast.logits import LN2_ABOVE, logit_error, logit_limit
from kvfloor.attention.fast.operands import Prepared, Queries, rounded_queries
from kvfloor.attention.fast.tiling import Dropped, Tiling, slices
from kvfloor.attention.fast.totals import (
    INFLATION,
    TINY,
    Evaluation,
    Sums,
    enclose,
    weigh_rows,
)
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import NO_TERMS, Terms
from kvfloor.attention.windows import Intervals

__all__ = ["evaluate_centred"]

_ELEMENTS, _WIDEST = 2**15, 2**10
_WIDE = 2**12  # columns of a tile on a device


def evaluate_centred(
    prepared: Prepared,
    queries: Float,
    scale: Scale,
    mask: Mask | Intervals | None = None,
    terms: Terms = NO_TERMS,
    *,
    squares: bool = True,
) -> Evaluation:
    """Enclose attention of order 1, evaluated in float64.

    Parameters and result are those of `evaluate_single`. With u = 2**-53 the radius of an output
    is, within a small factor,

        u·[(d + 3)·S + 5]·sd + u·(256 + n/256 + 2)·(rms + |out|)

    where S = ‖σq‖·√(Σ p·‖K_t‖²), and rms and sd are the root mean square of the values under the
    weights p and their standard deviation; without ``squares``, the longest key and the largest
    value of the column stand for them.

    Notes
    -----
    E4 `centred-error`; derived in docs/fast.md.
    """

    def evaluate(some: Float, dropped: Dropped, joined: Joined) -> Evaluation:
        g = rounded_queries(prepared, some, scale, logit_limit(prepared))
        tiling = Tiling.of(len(some), prepared.shape, *_steps(len(some)))
        if (tokens := prepared.tokens_there) is None:
            sums = _sum(prepared, g, (dropped, joined), tiling, squares=squares)
        else:
            sums = _sum_there(tokens, g, dropped, joined, prepared.shape[1])
        _add_sinks(sums, joined, len(prepared.value_exponents))
        return _enclose(prepared, g, sums, joined)

    joined = Joined.by(terms, prepared, bits=True)
    return in_batches(evaluate, prepared, queries, mask, joined)


def _steps(b: int) -> tuple[int, int]:
    """Columns and elements of a tile: wide where there are few queries."""
    return min(max(BLOCK, _ELEMENTS // b // BLOCK * BLOCK), _WIDEST), _ELEMENTS


def _sum(
    prepared: Prepared, g: Queries, others: tuple[Dropped, Joined], tiling: Tiling, *, squares: bool
) -> Sums:
    """Sums of E times each column of the moments."""
    dropped, joined = others
    reach = joined.reach(g.reach)
    tokens = _Tokens(prepared, tiling.steps[2], squares=squares)
    sums = Sums(tiling.queries, (tokens.moments.shape[1],))
    work = np.empty((3, tiling.elements))
    everyone = slice(0, tiling.queries)
    for columns in tiling.across():
        if dropped.all_of(everyone, slice(0, 1), columns):
            continue
        K, moments = tokens.at(columns)
        for q, rows in tiling.blocks():
            if dropped.all_of(q, rows, columns):
                continue
            A = g.hi[q]
            shape = len(A), len(K)
            x, y, scratch = work[:, : shape[0] * shape[1]].reshape(3, *shape)
            np.matmul(A, K.T, out=x)
            joined.add(x[:, None], q, rows, columns)
            missing = dropped(q, rows, columns)
            top = weigh_rows(x[:, None], y[:, None], scratch[:, None], missing, reach[q])
            found = np.matmul(y[:, :BLOCK], moments[:BLOCK])
            for i in range(BLOCK, shape[1], BLOCK):
                found += np.matmul(y[:, i : i + BLOCK], moments[i : i + BLOCK])
            found *= sums.admit(q, top)
            sums.sums[q] += found
    return sums


def _sum_there(tokens: Tokens, g: Queries, dropped: Dropped, joined: Joined, n: int) -> Sums:
    """The same on a device, in wide tiles: it is quick where it has much to do."""
    b = len(g.hi)
    everyone, only = slice(0, b), slice(0, 1)
    found = Sums(b, (tokens.width,))
    for columns in slices(n, _WIDE):
        if dropped.all_of(everyone, only, columns):
            continue
        tile = everyone, only, columns
        top, sums = tokens.sums(g.hi, columns, dropped(*tile), joined.joining(*tile))
        scale = found.admit(everyone, top[:, None])
        found.sums += sums * scale
    return found


def _add_sinks(sums: Sums, joined: Joined, column: int) -> None:
    """Add the weights of the sinks to the column of all weights."""
    if (sinks := joined.sinks()) is not None:
        k, y, _ = sinks
        y *= sums.admit_sinks(k, above=0)
        sums.sums[:, column] += y


class _Tokens:
    """Keys of a tile, and what weights are multiplied with: values, ones, squares, ‖key‖².

    Or values and ones alone.
    """

    def __init__(self, prepared: Prepared, most: int, *, squares: bool) -> None:
        d, d_v = len(prepared.key_exponents), len(prepared.value_exponents)
        self._prepared, (self._key_slot,) = prepared, prepared.key_slots
        self._squares, width = squares, 2 * d_v + 2 if squares else d_v + 1
        self.keys, self.moments = np.empty((most, d)), np.empty((most, width))
        self.moments[:, d_v] = 1

    def at(self, columns: slice) -> tuple[Float, Float]:
        """Return them, to be used before they are asked for again."""
        count = columns.stop - columns.start
        K, moments = self.keys[:count], self.moments[:count]
        self._key_slot.write(columns, K)
        if self._squares:
            self._prepared.moments(columns, moments)
        else:
            self._prepared.value_slots[0].write(columns, moments)
        return K, moments


def _enclose(prepared: Prepared, g: Queries, sums: Sums, joined: Joined) -> Evaluation:
    d_v = len(prepared.value_exponents)
    D = sums.sums[:, d_v : d_v + 1]
    centre = sums.sums[:, : d_v + 1] / D
    if sums.sums.shape[1] > d_v + 1:
        squares, lengths = sums.sums[:, d_v + 1 : -1] / D, sums.sums[:, -1:] / D
    else:  # values are at most 1
        squares, lengths = np.ones_like(D), np.full_like(D, prepared.column_norms.max() ** 2)
    roundings = gamma(BLOCK + -(-prepared.shape[1] // BLOCK) + 1 + joined.additions)
    length = np.sqrt(np.einsum("qc,qc->q", g.hi, g.hi)[:, None] * lengths)
    logits = logit_error(prepared) * length + joined.error(g.reach)[:, None]
    weights = EXP2_SINGLE_ERROR + LN2_ABOVE * logits
    size = np.abs(centre[:, :-1])
    deviation = np.sqrt(np.maximum(squares - size**2, 0) + (6 * roundings + 10 * UNIT) * squares)
    error = weights * deviation + roundings * (np.sqrt(squares) + size) + 2 * UNIT * size + TINY
    radius = np.hstack([error, weights + roundings + TINY]) * INFLATION
    usable = np.isfinite(joined.reach(g.reach)) & joined.covers(g.reach, sums.exponent)
    radius = np.where(usable[:, None], radius, np.inf)
    log, log_error = log_single(D[:, 0], sums.exponent)
    zeros = np.zeros((1, centre.shape[1]))
    return enclose(
        D[:, 0] == 0,
        (centre, zeros),
        radius,
        (log, zeros[:, 0]),
        log_error,
        prepared.value_exponents,
    )

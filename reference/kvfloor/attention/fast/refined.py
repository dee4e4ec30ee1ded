"""Between the levels, at order 1: some numbers, each from a row of logits that hardly rounded.

What level (a) leaves open lies within its radius of a rounding boundary, and most of that radius
are the roundings in logits and in long sums. Here the leading parts of the products in a logit
are added without rounding, and values two by two. It is for few numbers of a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import UNIT, Float, Integer, extract, gamma, two_sum
from kvfloor.attention.fast.exponential import EXP2_SINGLE_ERROR, LN2, exp2_single
from kvfloor.attention.fast.logarithm import log_single
from kvfloor.attention.fast.logits import LN2_ABOVE, logit_limit
from kvfloor.attention.fast.operands import Prepared, Queries, scaled_queries
from kvfloor.attention.fast.slices import slice_bits
from kvfloor.attention.fast.tiling import Dropped
from kvfloor.attention.fast.totals import INFLATION, Balls, row_weights, scaled_back
from kvfloor.attention.inputs import Mask, Scale

__all__ = ["evaluate_refined"]

_ELEMENTS = 2**18  # weights kept at a time for the numbers, 8 bytes each
_LN2 = float(LN2)
#: Larger than all that underflow can change in an output, where values are at most 1.
_TINY = 2.0**-450

Places = npt.NDArray[np.intp]


class _Rows(NamedTuple):
    """Weights of some queries, shape (r, n), their powers of two and a bound on their errors."""

    weights: Float
    exponents: Integer
    errors: Float


def evaluate_refined(
    prepared: Prepared,
    queries: Float,
    scale: Scale,
    mask: Mask | None,
    places: tuple[Places, Places],
) -> Balls:
    """Enclose some numbers of attention of order 1.

    Parameters
    ----------
    prepared, queries, scale, mask
        As for `evaluate_single`.
    places : rows and columns of the p numbers
        Column d_v is the log-sum-exp; rows ascend.

    Returns
    -------
    Balls, shape (p,)
        With u = 2**-53 radii of outputs are about u·7·sd + u·(log₂ n + 1)·(rms + |out|), where rms
        and sd are the root mean square of the values and their standard deviation.

    Notes
    -----
    E4 `centred-error`; derived in docs/fast.md.
    """
    dropped = Dropped.by(mask, prepared)
    found = []
    with np.errstate(all="ignore"):
        for some in _slices(len(places[0]), max(1, _ELEMENTS // prepared.shape[1])):
            rows, which = np.unique(places[0][some], return_inverse=True)
            g = scaled_queries(
                prepared, queries[rows], scale, unit=LN2, limit=logit_limit(prepared)
            )
            weighed = _weigh(prepared, g, dropped.at(rows))
            found.append(_numbers(prepared, weighed, which, places[1][some]))
    return Balls(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(i, min(i + step, length)) for i in range(0, length, step))


def _weigh(prepared: Prepared, g: Queries, dropped: Dropped) -> _Rows:
    """The weights of all tokens, from logits whose leading products are added exactly."""
    n, d = prepared.shape[1], len(prepared.key_exponents)
    bits = slice_bits(d)
    size = np.abs(g.hi)
    unit = np.ldexp(1.0, np.maximum(np.frexp(size.max(axis=1))[1], 0))
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
    y, k = np.empty_like(hi), np.empty(hi.shape, dtype=np.int64)
    exp2_single(hi, y, k)
    lo *= _LN2
    lo *= y
    y += lo
    everything = slice(None), slice(None), slice(None)
    top, powers = row_weights(k[:, None], dropped(*everything), g.reach, above=0)
    y *= powers[:, 0]
    products = (np.abs(above).sum(axis=1) + unit * prepared.longest) * 2.0 ** (-bits - 1)
    logits = gamma(d + 2) * products + 9 * UNIT**2 * g.reach
    errors = EXP2_SINGLE_ERROR + 2 * UNIT + LN2_ABOVE * logits
    return _Rows(y, top[:, 0], np.where(np.isfinite(g.reach), errors, np.inf))


def _numbers(
    prepared: Prepared, rows: _Rows, which: Places, columns: Places
) -> tuple[Float, Float, Float]:
    """Centres, zeros and radii of numbers: the columns of the rows ``which``."""
    n, d_v = prepared.shape[1], len(prepared.value_exponents)
    roundings = gamma((n - 1).bit_length() + 1)
    D = _halved(rows.weights.copy())
    log, log_error = log_single(D, rows.exponents)
    total, weights, errors = D[which], rows.weights[which], rows.errors[which]
    last = columns == d_v
    values = prepared.value_slots[0].columns(np.where(last, 0, columns))
    centre = _halved(weights * values) / total
    values -= centre[:, None]
    np.square(values, out=values)
    values *= weights
    squares = _halved(values) / total
    size = np.abs(centre)
    spread = errors * np.sqrt(squares) + roundings * (np.sqrt(squares + size**2) + size)
    radius = (spread + 2 * UNIT * size + _TINY) * INFLATION
    centre = np.where(last, log[which], centre)
    radius = np.where(last, (errors + roundings + log_error[which]) * INFLATION, radius)
    exponents = np.where(last, 0, np.append(prepared.value_exponents, 0)[columns])
    balls = scaled_back((centre, np.zeros_like(centre)), radius, exponents)
    return balls.hi, balls.lo, balls.radius


def _halved(x: Float) -> Float:
    """Sum over the last axis by adding halves: a term passes ⌈log₂ n⌉ additions. x is destroyed."""
    while (n := x.shape[-1]) > 1:
        half = (n + 1) // 2
        x[..., : n - half] += x[..., half:]
        x = x[..., :half]
    return x[..., 0]

"""Enclosures: tensor attention in Arb balls, every radius proven.

The factored form of D1: with the rows of the first m - 1 slots multiplied out, the logits are one
product of matrices of balls and the output another, so no loop runs over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

import numpy as np
from flint import arb, arb_mat

from kvfloor.attention.fast import Balls, evaluate_double, prepare_problem
from kvfloor.attention.grouping import row_products
from kvfloor.attention.heads import as_problems, require_answers
from kvfloor.attention.inputs import Mask, Problem, Row, Scale
from kvfloor.attention.terms import Terms
from kvfloor.numbers import Array, arb_precision, as_count, to_fmpq

__all__ = [
    "Enclosure",
    "as_ball",
    "as_balls",
    "ball_matrix",
    "enclose",
    "enclose_row",
    "exponentials",
    "joined",
    "logit_bits",
]


QUICK_BITS = 64  # up to which double-double is tried: its radius is some 2^-80
SLACK_BITS = 8  # a column's radius may be 2^-72 of its largest value, where that is more


class Enclosure(NamedTuple):
    """Balls around what attention returns.

    Attributes
    ----------
    output : tuple of d_v arb, or ndarray of arb, shape (..., d_v)
    logsumexp : arb, or ndarray of arb, shape (...)
        In nats.
    """

    output: Any
    logsumexp: Any

    @property
    def rel_accuracy_bits(self) -> int:
        """Relative accuracy of the worst ball, in bits (negative if a ball says nothing)."""
        balls = (*np.ravel(self.output), *np.ravel(self.logsumexp))
        return min(int(ball.rel_accuracy_bits()) for ball in balls)


def enclose(
    query: Any,
    keys: Any,
    values: Any,
    *,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    bits: int = 128,
) -> Enclosure:
    """Enclose tensor attention in balls.

    Parameters
    ----------
    query, keys, values, scale, mask, bias, sink, softcap
        As for `tensor_attention_rounded`: a query of shape (d,), several, or heads.
    bits : int
        The accuracy aimed at: radii are about ``2**-bits`` of ``Σ_t p_t·|Π_r V_r[j_r, c]|``, for
        logits of any size; with at most 64, or 2^-72 of the largest value of the column. Whatever
        is reached, the radii are right.

    Returns
    -------
    Enclosure
        ``output``, ``logsumexp`` (nats), ``rel_accuracy_bits``; for a query of shape (d,) a tuple
        of d_v balls and a ball, else arrays of them.

    Raises
    ------
    InputError
        As `tensor_attention` does; for a row without a tuple where there is no sink.

    Notes
    -----
    D1 `tensor-attention`. Cost: two matrix products and an exponential for each tuple; with at most
    `QUICK_BITS` bits those of double-double arithmetic for many queries at once (E3
    `forward-error`), where that is accurate enough.
    """
    problems, leading = as_problems(query, keys, values, scale, mask, Terms(bias, sink, softcap))
    bits = as_count(bits, "bits", 2)
    require_answers(problems, leading, mask)
    found = [one for problem in problems for one in _enclosed(problem, bits)]
    if not leading:
        return found[0]
    output = np.array([one.output for one in found], dtype=object)
    logsumexp = np.array([one.logsumexp for one in found], dtype=object)
    return Enclosure(output.reshape(*leading, -1), logsumexp.reshape(leading))


def _enclosed(problem: Problem, bits: int) -> list[Enclosure]:
    """Enclose the queries of a problem, in double-double where it serves."""
    quick = _quick(problem) if bits <= QUICK_BITS else {}
    rows = range(len(problem.queries))
    return [quick[b] if b in quick else enclose_row(problem.row(b), bits) for b in rows]


def _quick(problem: Problem) -> dict[int, Enclosure]:
    """Enclosures in double-double of the queries for which they have `QUICK_BITS` bits."""
    prepared = prepare_problem(problem)
    if prepared is None:
        return {}
    given = problem.queries, problem.scale, problem.mask, problem.terms
    found = evaluate_double(prepared, *given)
    output, logsumexp = found.output, found.logsumexp
    with np.errstate(over="ignore"):
        largest = np.prod([np.abs(V_r).max(axis=0) for V_r in problem.values], axis=0)
    slack = np.where(np.isfinite(largest), 2.0**-SLACK_BITS * largest, 0)
    sizes = np.maximum(np.abs(output.hi), slack)
    accurate = (output.radius <= 2.0**-QUICK_BITS * sizes).all(axis=1)
    accurate &= logsumexp.radius <= 2.0**-QUICK_BITS * np.maximum(1, np.abs(logsumexp.hi))
    with arb_precision(QUICK_BITS + 64):
        return {
            b: Enclosure(tuple(_balls(output, b)), _balls(logsumexp, slice(b, b + 1))[0])
            for b in np.flatnonzero(accurate).tolist()
        }


def _balls(found: Balls, row: int | slice) -> list[arb]:
    parts = (part[row].tolist() for part in (found.hi, found.lo, found.radius))
    return [arb(hi, radius) + lo for hi, lo, radius in zip(*parts, strict=True)]


def enclose_row(row: Row, bits: int) -> Enclosure:
    """Enclose tensor attention of one query that has been read, as `enclose` does."""
    tuples = prod(map(len, row.keys))
    guard = logit_bits(row.query, row.keys, row.scale, row.terms) + tuples.bit_length() + 16
    with arb_precision(bits + guard):
        return _enclose(row)


def _enclose(row: Row) -> Enclosure:
    q, K, V, sigma, kept, terms = row
    factor = arb(to_fmpq(sigma.factor)) * arb(sigma.root).sqrt()
    scaled = [as_ball(x) * factor for x in q]
    rows = [
        [x * y for x, y in zip(row, scaled, strict=True)]
        for row in row_products([as_balls(K_r) for K_r in K[:-1]], [arb(1)] * len(q))
    ]
    products = ball_matrix(K[-1]) * arb_mat(rows).transpose()
    logits = joined(products.transpose().entries(), terms)
    sinks = [] if terms.sink is None else [as_ball(terms.sink)]

    weights, total, top = exponentials(logits, kept, sinks)
    table = arb_mat(len(rows), len(K[-1]), weights) * ball_matrix(V[-1])
    d_v = V[-1].shape[1]
    others = row_products([as_balls(V_r) for V_r in V[:-1]], [arb(1)] * d_v)
    output = tuple(
        sum((table[j, c] * row[c] for j, row in enumerate(others)), arb(0)) / total
        for c in range(d_v)
    )
    return Enclosure(output, top + total.log())


def exponentials(
    logits: list[arb], kept: Mask | None, sinks: list[arb]
) -> tuple[list[arb], arb, arb]:
    """The weight of each tuple, all weights together, and the logit of which they are multiples."""
    tuples = range(len(logits)) if kept is None else np.flatnonzero(kept).tolist()
    # Any exact number near the largest logit will do: it cancels.
    mids = [logit.mid() for logit in (*(logits[t] for t in tuples), *sinks)]
    top = max(mids, key=float)
    weights = [arb(0)] * len(logits)
    for t in tuples:
        weights[t] = (logits[t] - top).exp()
    return weights, sum(weights, sum(((sink - top).exp() for sink in sinks), arb(0))), top


def joined(products: list[arb], terms: Terms) -> list[arb]:
    """The logits: soft cap and bias join the inner products."""
    if terms.softcap is not None:
        c = to_fmpq(terms.softcap)
        products = [(s / c).tanh() * c for s in products]
    if terms.bias is not None:
        pairs = zip(products, np.ravel(terms.bias).tolist(), strict=True)
        products = [s + as_ball(b) for s, b in pairs]
    return products


def logit_bits(q: Array, K: Sequence[Array], sigma: Scale, terms: Terms) -> int:
    """Bits before the point of the largest logit: each costs the exponential one of accuracy."""
    with arb_precision(32):
        parts = [abs(as_ball(x)) for x in q]
        for K_r in K:
            columns = abs(K_r).max(axis=0)
            parts = [part * as_ball(x) for part, x in zip(parts, columns, strict=True)]
        largest = sum(parts, arb(0)) * arb(to_fmpq(sigma.factor)) * sigma.root
        largest += sum((abs(as_ball(x)) for x in _extremes(terms)), arb(0))
    return int(largest.ceil().upper().fmpq().p).bit_length()


def _extremes(terms: Terms) -> list[float | Fraction]:
    bias = [] if terms.bias is None else [terms.bias.min(), terms.bias.max()]
    return bias if terms.sink is None else [*bias, terms.sink]


def as_balls(matrix: Array) -> list[list[arb]]:
    """Return the numbers of a matrix as balls, rows by rows."""
    return [[as_ball(x) for x in row] for row in matrix.tolist()]


def ball_matrix(matrix: Array) -> arb_mat:
    """Return a matrix as one of balls; floats, which are their own, go there in one call."""
    return arb_mat(matrix.tolist() if matrix.dtype == np.float64 else as_balls(matrix))


def as_ball(x: float | Fraction) -> arb:
    """Return a ball around a number: a float is its own, a rational rounds."""
    return arb(x) if isinstance(x, float) else arb(to_fmpq(x))

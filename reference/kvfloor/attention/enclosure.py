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

from kvfloor.attention.exact import row_products
from kvfloor.attention.inputs import Row, Scale, as_row
from kvfloor.numbers import Array, arb_precision, as_count, floats, to_fmpq

__all__ = ["Enclosure", "enclose"]


class Enclosure(NamedTuple):
    """Balls around what attention returns.

    Attributes
    ----------
    output : tuple of d_v arb
    logsumexp : arb
        In nats.
    """

    output: tuple[arb, ...]
    logsumexp: arb

    @property
    def rel_accuracy_bits(self) -> int:
        """Relative accuracy of the worst ball, in bits (negative if a ball says nothing)."""
        return min(int(ball.rel_accuracy_bits()) for ball in (*self.output, self.logsumexp))


def enclose(
    query: Any,
    keys: Any,
    values: Any,
    *,
    scale: Any = 1,
    mask: Any = None,
    bits: int = 128,
) -> Enclosure:
    """Enclose tensor attention in balls.

    Parameters
    ----------
    query : array, shape (d,)
    keys : sequence of m arrays, ``keys[r]`` of shape (n_r, d)
    values : sequence of m arrays, ``values[r]`` of shape (n_r, d_v)
    scale : positive rational or "1/sqrt(d)"
    mask : boolean array, shape (n_1, ..., n_m), optional
        True keeps the tuple.
    bits : int
        The accuracy aimed at: radii are about ``2**-bits`` of ``Σ_t p_t·|Π_r V_r[j_r, c]|``, for
        logits of any size. Whatever is reached, the radii are right.

    Returns
    -------
    Enclosure
        ``output`` of d_v balls, ``logsumexp`` (nats), ``rel_accuracy_bits``.

    Raises
    ------
    InputError
        As `tensor_attention` does.

    Notes
    -----
    D1 `tensor-attention`. Cost: two matrix products and an exponential for each tuple.
    """
    row = as_row(query, keys, values, scale, mask, floats)
    return enclose_row(row, as_count(bits, "bits", 2))


def enclose_row(row: Row, bits: int) -> Enclosure:
    """Enclose tensor attention of one query that has been read, as `enclose` does."""
    tuples = prod(map(len, row.keys))
    guard = _logit_bits(row.query, row.keys, row.scale) + tuples.bit_length() + 16
    with arb_precision(bits + guard):
        return _enclose(row)


def _enclose(row: Row) -> Enclosure:
    q, K, V, sigma, kept = row
    factor = arb(to_fmpq(sigma.factor)) * arb(sigma.root).sqrt()
    scaled = [_ball(x) * factor for x in q]
    rows = [
        [x * y for x, y in zip(row, scaled, strict=True)]
        for row in row_products([_balls(K_r) for K_r in K[:-1]], [arb(1)] * len(q))
    ]
    logits = (arb_mat(rows) * arb_mat(_balls(K[-1])).transpose()).entries()

    tuples = range(len(logits)) if kept is None else np.flatnonzero(kept).tolist()
    # Any exact number near the largest logit will do: it cancels.
    top = logits[max(tuples, key=lambda t: float(logits[t].mid()))].mid()
    weights = [arb(0)] * len(logits)
    for t in tuples:
        weights[t] = (logits[t] - top).exp()
    total = sum(weights, arb(0))

    table = arb_mat(len(rows), len(K[-1]), weights) * arb_mat(_balls(V[-1]))
    d_v = V[-1].shape[1]
    products = row_products([_balls(V_r) for V_r in V[:-1]], [arb(1)] * d_v)
    output = tuple(
        sum((table[j, c] * row[c] for j, row in enumerate(products)), arb(0)) / total
        for c in range(d_v)
    )
    return Enclosure(output, top + total.log())


def _logit_bits(q: Array, K: Sequence[Array], sigma: Scale) -> int:
    """Bits before the point of the largest logit: each costs the exponential one of accuracy."""
    with arb_precision(32):
        terms = [abs(_ball(x)) for x in q]
        for K_r in K:
            columns = abs(K_r).max(axis=0)
            terms = [term * _ball(x) for term, x in zip(terms, columns, strict=True)]
        largest = sum(terms, arb(0)) * arb(to_fmpq(sigma.factor)) * sigma.root
    return int(largest.ceil().upper().fmpq().p).bit_length()


def _balls(matrix: Array) -> list[list[arb]]:
    return [[_ball(x) for x in row] for row in matrix.tolist()]


def _ball(x: float | Fraction) -> arb:
    return arb(x) if isinstance(x, float) else arb(to_fmpq(x))

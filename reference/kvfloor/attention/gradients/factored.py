"""Gradients from weights, through products of matrices, in any ring (D6 `gradients`).

Balls and residues modulo a prime differ in what stands for an exponential, and in nothing else. The
rows of the first m - 1 slots are multiplied out, one table a query, so that every sum over the last
slot, and every sum over queries for the last slot, is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat

from kvfloor.attention.gradients.cotangents import Parts, Pullback
from kvfloor.attention.grouping import row_products
from kvfloor.attention.inputs import Problem
from kvfloor.numbers import Array

__all__ = ["Ring", "Weights", "exact_rows", "factored", "multiplied_out", "scores"]

Rows = list[list[Any]]


class Ring(NamedTuple):
    """What rationals become, and matrices of it.

    Attributes
    ----------
    number : callable
        From a fmpq to an element.
    matrix : callable
        From rows of elements.
    """

    number: Callable[[fmpq], Any]
    matrix: Callable[[Rows], Any]

    def rows(self, matrix: Array) -> Rows:
        """Return the numbers of a matrix as elements."""
        return [[self.number(x) for x in row] for row in exact_rows(matrix)]


class Weights(NamedTuple):
    """The weights of the tuples of each query, in C order, as elements of a ring.

    Attributes
    ----------
    tuples : list of b lists
        p_t, zero for a tuple that is masked.
    sink : list of b elements
        p_0, zero without a sink.
    slopes : list of b lists, or None for ones
        cap'(s_t).
    scale : element
        σ.
    tops : list of b ints
        The tuple, or -1, whose G·v the others are compared with. It changes nothing but the radii
        of balls: if one weight is nearly 1, its own difference is an exact zero.
    """

    tuples: Rows
    sink: list[Any]
    slopes: Rows | None
    scale: Any
    tops: list[int]


def factored(ring: Ring, pullback: Pullback, weights: Weights) -> Parts:
    """Return the gradients of one problem from its weights."""
    problem = pullback.problem
    dZ, dsink = _logits(ring, pullback, weights)
    dS = dZ
    if weights.slopes is not None:
        pairs = zip(dZ, weights.slopes, strict=True)
        dS = [[x * y for x, y in zip(row, slopes, strict=True)] for row, slopes in pairs]
    queries = [[weights.scale * x for x in row] for row in ring.rows(problem.queries)]
    dQ, dK = _contracted(ring, dS, queries, problem.keys)
    _, dV = _contracted(ring, weights.tuples, ring.rows(pullback.output), problem.values)
    shape = (len(queries), *map(len, problem.keys))
    return Parts(
        _array([[weights.scale * x for x in row] for row in dQ]),
        [_array(dK_r) for dK_r in dK],
        [_array(dV_r) for dV_r in dV],
        _array(dZ).reshape(shape),
        None if problem.terms.sink is None else np.array(dsink, dtype=object),
    )


def _logits(ring: Ring, pullback: Pullback, weights: Weights) -> tuple[Rows, list[Any]]:
    """Gradients of the logits, p_t·(Σ_c G_c·v_tc - D + g), and of the sinks."""
    table, sinks = [], []
    rows = zip(scores(pullback), weights.tuples, weights.sink, weights.tops, strict=True)
    for (score, p, p_sink, top), (g,) in zip(rows, exact_rows(pullback.logsumexp), strict=True):
        centre = score[top] if top >= 0 else fmpq(0)
        a, a_sink = [ring.number(x - centre) for x in score], ring.number(-centre)
        D = sum((x * y for x, y in zip(p, a, strict=True)), p_sink * a_sink)
        less = ring.number(g) - D
        table.append([p_t * (a_t + less) for p_t, a_t in zip(p, a, strict=True)])
        sinks.append(p_sink * (a_sink + less))
    return table, sinks


def scores(pullback: Pullback) -> list[list[fmpq]]:
    """Return Σ_c G_bc·v_tc of each query and tuple, exactly."""
    return _exact_products(exact_rows(pullback.output), pullback.problem.values)


def multiplied_out(problem: Problem) -> list[list[fmpq]]:
    """Return the inner products Σ_c q_bc·k_tc of each query and tuple, exactly, without scale."""
    return _exact_products(exact_rows(problem.queries), problem.keys)


def _exact_products(left: list[list[fmpq]], matrices: Sequence[Array]) -> list[list[fmpq]]:
    """Σ_c x_bc·Π_r A_r[t_r, c] for each row x_b, and tuple t in C order."""
    *first, last = (exact_rows(A) for A in matrices)
    rows = [row for x in left for row in row_products(first, x)]
    entries = (fmpq_mat(rows) * fmpq_mat(last).transpose()).entries()
    width = len(entries) // len(left)
    return [entries[b * width : (b + 1) * width] for b in range(len(left))]


def exact_rows(array: Array) -> list[list[fmpq]]:
    """Return the numbers of an array as rationals, in rows; a vector as a column."""
    rows = (array.reshape(-1, 1) if array.ndim == 1 else array).tolist()
    return [[fmpq(*x.as_integer_ratio()) for x in row] for row in rows]


def _contracted(
    ring: Ring, table: Rows, left: Rows, matrices: Sequence[Array]
) -> tuple[Rows, list[Rows]]:
    """Contract a table over tuples with products of rows.

    Returns
    -------
    rows : b rows
        Σ_t table_bt·Π_r A_r[t_r].
    slots : m matrices, of n_r rows
        Σ_b left_b·Σ_{t: t_r = j} table_bt·Π_{s≠r} A_s[t_s].
    """
    *first, last = (ring.rows(A) for A in matrices)
    lengths, width = tuple(map(len, first)), len(last[0])
    ones = [ring.number(fmpq(1))] * width
    products = row_products(first, ones)
    flat = [x for row in table for x in row]
    T = ring.matrix([flat[i : i + len(last)] for i in range(0, len(flat), len(last))])
    L = ring.matrix([_times(x, row) for x in left for row in products])
    sums: Rows = (T * ring.matrix(last)).tolist()
    each = [sums[i : i + len(products)] for i in range(0, len(sums), len(products))]
    rows = [_sum(map(_times, part, products)) for part in each]
    slots: list[Rows] = []
    for r, n in enumerate(lengths):
        without = [[ones] * n_s if s == r else first[s] for s, n_s in enumerate(lengths)]
        others = row_products(without, ones)
        joined = [
            _sum(_times(x, part[i]) for x, part in zip(left, each, strict=True))
            for i in range(len(products))
        ]
        terms = list(map(_times, joined, others))
        places = np.arange(prod(lengths)).reshape(lengths).swapaxes(0, r).reshape(n, -1)
        slots.append([_sum(terms[i] for i in places[j]) for j in range(n)])
    return rows, [*slots, (T.transpose() * L).tolist()]


def _times(x: list[Any], y: list[Any]) -> list[Any]:
    return [a * b for a, b in zip(x, y, strict=True)]


def _sum(rows: Any) -> list[Any]:
    total: list[Any] = []
    for row in rows:
        total = [a + b for a, b in zip(total, row, strict=True)] if total else row
    return total


def _array(rows: Rows) -> Array:
    return np.array(rows, dtype=object)

"""Enclosures of gradients: D6 in Arb balls, every radius proven."""

from __future__ import annotations

from math import ceil, prod
from typing import Any

import numpy as np
from flint import arb, arb_mat

from kvfloor.attention.enclosure import as_ball, as_balls, joined, logit_bits
from kvfloor.attention.gradients.cotangents import Gradients, Parts, Pullback, as_pullbacks
from kvfloor.attention.gradients.factored import Ring, Weights, factored
from kvfloor.attention.grouping import row_products
from kvfloor.attention.inputs import Problem
from kvfloor.attention.terms import Terms
from kvfloor.numbers import arb_precision, as_count, to_fmpq

__all__ = ["enclose_gradients", "enclose_pullback"]

BALLS = Ring(arb, arb_mat)


def enclose_gradients(
    query: Any,
    keys: Any,
    values: Any,
    cotangent: Any,
    *,
    logsumexp_cotangent: Any = None,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    bits: int = 128,
) -> Gradients:
    """Enclose the gradients of tensor attention in balls.

    Parameters
    ----------
    query, keys, values, cotangent, logsumexp_cotangent, scale, mask, bias, sink, softcap
        As for `tensor_attention_gradients`.
    bits : int
        The accuracy aimed at: radii are about ``2**-bits`` of the sum that defines a number, with
        every term replaced by its absolute value. Whatever is reached, the radii are right.

    Returns
    -------
    Gradients
        Arrays of arb, in the shapes of what was given.

    Raises
    ------
    InputError
        As `tensor_attention_gradients` does.

    Notes
    -----
    D6 `gradients`. Cost: five products of matrices of balls, and an exponential for each tuple.
    """
    given = Terms(bias, sink, softcap)
    pullbacks, shapes = as_pullbacks(
        query, keys, values, cotangent, logsumexp_cotangent, scale, mask, given
    )
    bits = as_count(bits, "bits", 2)
    with arb_precision(bits + 64):  # for the sums over broadcast axes
        return shapes.joined([enclose_pullback(pullback, bits) for pullback in pullbacks])


def enclose_pullback(pullback: Pullback, bits: int) -> Parts:
    """Enclose the gradients of one problem, as `enclose_gradients` does."""
    problem = pullback.problem
    queries, terms = abs(problem.queries).max(axis=0), problem.terms
    largest = terms._replace(sink=None if terms.sink is None else abs(terms.sink).max())
    guard = logit_bits(queries, problem.keys, problem.scale, largest)
    guard += (len(problem.queries) * prod(map(len, problem.keys))).bit_length() + 16
    if terms.softcap is not None:  # a slope is a function of s/c
        guard += ceil(1 / terms.softcap).bit_length()
    with arb_precision(bits + guard):
        return factored(BALLS, pullback, _weights(problem))


def _weights(problem: Problem) -> Weights:
    """The weights of all queries in balls; zeros for a row without an answer."""
    scale = arb(to_fmpq(problem.scale.factor)) * arb(problem.scale.root).sqrt()
    products = _products(problem, scale)
    width = prod(map(len, problem.keys))
    rows: list[list[arb]] = [[arb(0)] * width for _ in products]
    sinks, tops = [arb(0)] * len(products), [-1] * len(products)
    for b in problem.answered():
        row = problem.row(b)
        logits = joined(products[b], row.terms)
        kept = range(width) if row.mask is None else np.flatnonzero(row.mask).tolist()
        sink = None if row.terms.sink is None else as_ball(row.terms.sink)
        mids = {t: logits[t].mid() for t in kept} | ({} if sink is None else {-1: sink.mid()})
        tops[b] = _largest(mids)
        e = {t: (logits[t] - mids[tops[b]]).exp() for t in kept}
        e_sink = arb(0) if sink is None else (sink - mids[tops[b]]).exp()
        total = sum(e.values(), e_sink)
        for t in kept:
            rows[b][t] = e[t] / total
        sinks[b] = e_sink / total
    slopes, c = None, problem.terms.softcap
    if c is not None:
        slopes = [[(s / to_fmpq(c)).sech() ** 2 for s in row] for row in products]
    return Weights(rows, sinks, slopes, scale, tops)


def _products(problem: Problem, scale: arb) -> list[list[arb]]:
    """σ Σ_c q_bc·k_tc of each query and tuple."""
    *first, last = (as_balls(K_r) for K_r in problem.keys)
    queries = [[x * scale for x in q] for q in as_balls(problem.queries)]
    rows = [row for q in queries for row in row_products(first, q)]
    entries = (arb_mat(rows) * arb_mat(last).transpose()).entries()
    width = len(entries) // len(queries)
    return [entries[b * width : (b + 1) * width] for b in range(len(queries))]


def _largest(mids: dict[int, arb]) -> int:
    """The place of the largest exact number."""
    places = iter(mids)
    top = next(places)
    for place in places:
        if mids[place] > mids[top]:
            top = place
    return top

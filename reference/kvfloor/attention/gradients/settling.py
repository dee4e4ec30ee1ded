"""Settling gradients with the fast levels: each rounds what it can and leaves the rest."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from kvfloor.attention.balls import round_balls
from kvfloor.attention.fast import (
    Accuracy,
    Balls,
    Operands,
    Places,
    evaluate_gradients_at,
    evaluate_gradients_double,
    evaluate_gradients_single,
    evaluate_logit_gradients,
    operands_of,
    prepare_problem,
    sum_of_balls,
)
from kvfloor.attention.gradients.cotangents import Pullback, Shapes
from kvfloor.attention.inputs import Mask
from kvfloor.numbers import Array, BinaryFormat, Rounding

__all__ = ["Form", "Settled", "settle", "settle_terms"]

LEVELS: tuple[Literal["single", "double"], ...] = ("single", "double")

FEW = 2**9  # gradients that are left, up to which they go on alone


class Form(NamedTuple):
    """A format and a rounding."""

    target: BinaryFormat
    rounding: Rounding


class Settled(NamedTuple):
    """What the levels have settled.

    Attributes
    ----------
    numbers : ndarray of float64
        Those of queries, keys and values, flat, in this order.
    wanted : ndarray of bool
        Which are still to be found.
    single, double : int
        How many each level has settled.
    """

    numbers: Array
    wanted: Mask
    single: int
    double: int


def settle(pullback: Pullback, form: Form) -> Settled:
    """Round what float64 and double-double with their bounds suffice for.

    Nothing is settled of inputs that float64 does not hold.
    """
    problem = pullback.problem
    tables = problem.queries, *problem.keys, *problem.values
    size = sum(table.size for table in tables)
    numbers, wanted = np.zeros(size), np.ones(size, dtype=np.bool_)
    given = _operands(pullback)
    single = 0
    if given is None:
        return Settled(numbers, wanted, 0, 0)
    if form.target.precision < 53:
        _settle(form, evaluate_gradients_single(given), (numbers, wanted))
        single = size - int(wanted.sum())
    if wanted.any():
        _settle_double(pullback, given, form, (numbers, wanted))
    return Settled(numbers, wanted, single, size - single - int(wanted.sum()))


def settle_terms(pullbacks: Sequence[Pullback], shapes: Shapes, form: Form) -> Settled:
    """The same for biases and sinks: flat, in this order."""
    given = [_operands(pullback) for pullback in pullbacks]
    size = sum(prod(shape) for shape in (shapes.bias, shapes.sink) if shape is not None)
    numbers, wanted = np.zeros(size), np.ones(size, dtype=np.bool_)
    single = 0
    for level in LEVELS if None not in given else ():
        if level == "single" and form.target.precision == 53:
            continue
        biased, tables = shapes.bias is not None, []
        every = (one for one in given if one is not None)
        found = [evaluate_logit_gradients(one, level, tuples=biased) for one in every]
        if shapes.bias is not None:
            logits = [balls for balls, _ in found if balls is not None]
            tables.append(_summed(logits, shapes.logits, shapes.bias))
        if shapes.sink is not None:
            whole = *shapes.sinks, sum(b.hi.size for _, b in found) // prod(shapes.sinks)
            tables.append(_summed([sinks for _, sinks in found], whole, (*shapes.sink, 1)))
        _settle(form, tables, (numbers, wanted))
        single = size - int(wanted.sum()) if level == "single" else single
        if not wanted.any():
            break
    return Settled(numbers, wanted, single, size - single - int(wanted.sum()))


def _summed(parts: list[Balls], whole: tuple[int, ...], shape: tuple[int, ...]) -> Balls:
    """Sum balls of all problems over the axes along which ``shape`` has been broadcast."""
    more = len(whole) - len(shape)
    summed = [a for a, n in enumerate(whole) if a < more or shape[a - more] == 1 != n]
    kept = [a for a in range(len(whole)) if a not in summed]
    hi, lo, radius = (
        np.concatenate([np.ravel(part) for part in column])
        .reshape(whole)
        .transpose(*kept, *summed)
        .reshape(*(whole[a] for a in kept), -1)
        for column in zip(*((b.hi, b.lo, b.radius) for b in parts), strict=True)
    )
    return sum_of_balls(Balls(hi, lo, radius))


def _operands(pullback: Pullback) -> Operands | None:
    """The problem for the fast levels, None if they do not serve it."""
    problem = pullback.problem
    in_float64 = pullback.output.dtype == pullback.logsumexp.dtype == np.float64
    prepared = prepare_problem(problem) if in_float64 else None
    if prepared is None:
        return None
    cotangents = pullback.output, pullback.logsumexp
    return operands_of(
        prepared, problem.queries, cotangents, problem.scale, problem.mask, problem.terms
    )


def _settle_double(
    pullback: Pullback, given: Operands, form: Form, sums: tuple[Array, Mask]
) -> None:
    """Settle what is left in double-double: a few gradients alone, else all and then a few."""
    if np.count_nonzero(sums[1]) <= FEW and form.target.precision < 53:
        _settle_few(pullback, given, form, sums, "coarse")
    if sums[1].any():
        _settle(form, evaluate_gradients_double(given), sums)
    _settle_few(pullback, given, form, sums, "fine")


def _settle_few(
    pullback: Pullback, given: Operands, form: Form, sums: tuple[Array, Mask], accuracy: Accuracy
) -> None:
    """Settle what is left, each from its own tuples, if it is few."""
    numbers, wanted = sums
    problem, left = pullback.problem, np.flatnonzero(wanted)
    if not 0 < len(left) <= FEW:
        return
    places, first = [], 0
    for table in (problem.queries, *problem.keys, *problem.values):
        own = left[(left >= first) & (left < first + table.size)] - first
        places.append(Places(*np.divmod(own, table.shape[1])))
        first += table.size
    found, kept = np.zeros(len(left)), np.ones(len(left), dtype=np.bool_)
    _settle(form, evaluate_gradients_at(given, places, accuracy), (found, kept))
    numbers[left], wanted[left] = found, kept


def _settle(form: Form, tables: list[Balls], sums: tuple[Array, Mask]) -> None:
    """Round balls, write what is decided and still wanted to its place."""
    numbers, wanted = sums
    hi, lo, radius = (
        np.concatenate([np.ravel(getattr(balls, part)) for balls in tables])
        for part in ("hi", "lo", "radius")
    )
    rounded, decided = round_balls(Balls(hi, lo, radius), form.target, form.rounding)
    zero = radius == 0  # exactly, so that it is +0
    decided = (decided | zero) & wanted
    np.copyto(numbers, np.where(zero, 0.0, rounded), where=decided)
    wanted &= ~decided

"""Derivatives of outputs by the entries of keys and values, in balls (S3, S5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from flint import arb, arb_mat

__all__ = ["Parameter", "derivatives", "free_parameters", "minor", "parameters"]

Slots = Sequence[Sequence[Sequence[Any]]]


class Parameter(NamedTuple):
    """An entry of a key or a value: ``part`` is "key" or "value"."""

    part: str
    slot: int
    row: int
    column: int


def parameters(order: int, n: int, d: int, d_v: int) -> list[Parameter]:
    """Return all entries of the keys, then of the values: mn(d + d_v) parameters."""
    return [
        Parameter(part, slot, row, column)
        for part, width in (("key", d), ("value", d_v))
        for slot, row, column in product(range(order), range(n), range(width))
    ]


def free_parameters(order: int, n: int, d: int, d_v: int) -> list[Parameter]:
    """Return the entries that the symmetries of D1 leave free: those that are not in the gauge.

    The gauge fixes row 0 of the keys for order 1, and row 0 of the keys and values of all slots
    but the first for order >= 2. With a single token all keys are in it.
    """

    def is_free(p: Parameter) -> bool:
        if n == 1 and p.part == "key":
            return False
        fixed = order == 1 and p.part == "key" if p.slot == 0 else True
        return not (fixed and p.row == 0)

    return [p for p in parameters(order, n, d, d_v) if is_free(p)]


def derivatives(
    query: Sequence[Any], column: int, keys: Slots, values: Slots, by: Sequence[Parameter]
) -> list[arb]:
    """Enclose the derivatives of one output for one query, at scale 1.

    Parameters
    ----------
    query : sequence of d numbers
    column : int
        c, of the output.
    keys, values : m slots of n rows
        Numbers or balls; the enclosure holds for every choice in the balls.
    by : sequence of Parameter

    Returns
    -------
    list of arb
        For entry e of a key: ``Σ_t p_t·q_e·Π K·(v_t - out)`` over the tuples t with its row, the
        product over the other slots. For an entry of a value: ``Σ_t p_t·Π V`` if it is in the
        column, else 0.
    """
    order, n, d = len(keys), len(keys[0]), len(query)
    tuples = list(product(range(n), repeat=order))

    def column_product(slots: Slots, t: tuple[int, ...], c: int, without: int = -1) -> Any:
        return prod((slots[r][t[r]][c] for r in range(order) if r != without), start=arb(1))

    weights = [
        sum((query[e] * column_product(keys, t, e) for e in range(d)), arb(0)).exp() for t in tuples
    ]
    total = sum(weights, arb(0))
    p = [w / total for w in weights]
    v = [column_product(values, t, column) for t in tuples]
    out = sum((p_t * v_t for p_t, v_t in zip(p, v, strict=True)), arb(0))

    def derivative(x: Parameter) -> arb:
        held = [k for k, t in enumerate(tuples) if t[x.slot] == x.row]
        if x.part == "key":
            moved = (
                p[k] * (v[k] - out) * column_product(keys, tuples[k], x.column, x.slot)
                for k in held
            )
            total_move: arb = sum(moved, arb(0)) * query[x.column]
            return total_move
        if x.column != column:
            return arb(0)
        return sum((p[k] * column_product(values, tuples[k], column, x.slot) for k in held), arb(0))

    return [derivative(x) for x in by]


def minor(
    queries: Sequence[Sequence[Any]], keys: Slots, values: Slots, by: Sequence[Parameter]
) -> arb_mat:
    """Return the square matrix of derivatives, row i for query i and column i mod d_v."""
    d_v = len(values[0][0])
    return arb_mat([derivatives(q, i % d_v, keys, values, by) for i, q in enumerate(queries)])

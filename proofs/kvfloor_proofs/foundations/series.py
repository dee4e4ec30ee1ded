"""Derivatives of an output by power series: independent of the formulas for them (S3, S5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

from flint import arb, arb_series

from kvfloor.floors import Parameter

__all__ = ["along", "unit"]

Slots = Sequence[Sequence[Sequence[Any]]]


def along(
    query: Sequence[Any], column: int, keys: Slots, values: Slots, moves: tuple[Slots, Slots]
) -> list[arb]:
    """Enclose output, first and half the second derivative along a line, at scale 1.

    Attention is evaluated as D1 states it, on series in t with ``keys + t·moves[0]`` and
    ``values + t·moves[1]``.

    Parameters
    ----------
    query : sequence of d numbers
    column : int
    keys, values : m slots of n rows
    moves : pair of slots
        In the shapes of keys and values.
    """
    K, V = (_series(at, by) for at, by in zip((keys, values), moves, strict=True))
    one = arb_series([1], prec=3)
    numerator, total = arb_series([0], prec=3), arb_series([0], prec=3)
    for t in product(range(len(keys[0])), repeat=len(keys)):
        rows = [slot[j] for slot, j in zip(K, t, strict=True)]
        terms = (prod(entries, start=one) * x for x, *entries in zip(query, *rows, strict=True))
        weight = sum(terms, arb_series([0], prec=3)).exp()
        total += weight
        held = (slot[j][column] for slot, j in zip(V, t, strict=True))
        numerator += weight * prod(held, start=one)
    output = numerator / total
    return [output[k] for k in range(3)]


def unit(p: Parameter, shape: tuple[int, int, int, int], by: Any = 1) -> tuple[Slots, Slots]:
    """Return keys and values that are 0 but for one entry."""
    order, n, *widths = shape

    def slots(part: str, width: int) -> Slots:
        return [
            [[arb(by) if p == (part, r, j, c) else arb(0) for c in range(width)] for j in range(n)]
            for r in range(order)
        ]

    return slots("key", widths[0]), slots("value", widths[1])


def _series(at: Slots, by: Slots) -> list[list[list[arb_series]]]:
    return [
        [
            [arb_series([x, y], prec=3) for x, y in zip(row, move, strict=True)]
            for row, move in zip(slot, moves, strict=True)
        ]
        for slot, moves in zip(at, by, strict=True)
    ]

"""S3 `identifiability`: how many numbers answers tell, which, and the derivatives that show it."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import sympy as sp
from flint import arb, fmpq, fmpq_mat
from hypothesis import strategies as st

from kvfloor.floors import Parameter, free_parameters, identifiable, minor, parameters
from kvfloor.numbers import arb_precision
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.identifiability import (
    d,
    d_v,
    derivations,
    m,
    n,
    property_lower_side,
    property_upper_side,
    shape_of,
    symbol,
    symmetry_directions,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require
from kvfloor_proofs.foundations.series import along, unit

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    *_, one_slot, slots = derivations()
    lower = both_sides("a minor of that size is not 0, by balls", property_lower_side)
    upper = both_sides("so many independent directions move no output", property_upper_side)
    entries = both_sides("every entry once, keys first", property_entries)
    return (
        Constant(
            identifiable,
            (
                concluded(one_slot, Relation.EQ, lambda: identifiable(1, n, d, d_v)),
                concluded(slots, Relation.EQ, lambda: identifiable(m, n, d, d_v)),
                *(lower, upper),
            ),
        ),
        Constant(parameters, (entries, upper)),
        Constant(Parameter, (entries,)),
        Constant(
            free_parameters,
            (
                lower,
                both_sides("the others are set by the symmetries, in one way", property_gauge),
            ),
        ),
        Constant(minor, (both_sides("power series give its entries", property_derivatives),)),
    )


def property_entries(data: st.DataObject, tally: Tally) -> None:
    """The parameters are all mn(d + d_v) entries, each once, in their ranges; keys come first."""
    del tally
    order, n_, d_, d_v_ = shape = shape_of(data)
    found = parameters(*shape)
    require(len(set(found)) == len(found) == order * n_ * (d_ + d_v_), "not every entry once")
    keys = order * n_ * d_
    for k, (part, slot, row, column) in enumerate(found):
        require(part == ("key" if k < keys else "value"), "keys do not come first")
        width = d_ if part == "key" else d_v_
        require(0 <= slot < order and 0 <= row < n_ and 0 <= column < width, "out of range")


def property_gauge(data: st.DataObject, tally: Tally) -> None:
    """The entries that are not free are as many as directions, which move them independently."""
    del tally
    shape = shape_of(data)
    every, free = parameters(*shape), free_parameters(*shape)
    require(not Counter(free) - Counter(every), "an entry that there is not, or twice")
    fixed = [p for p in every if p not in set(free)]
    directions = symmetry_directions(*shape)
    require(len(fixed) == len(directions), "not as many as directions")
    point = Random(data.draw(st.integers(0, 99), label="seed"))  # noqa: S311 - no secret
    at = {symbol(p): sp.Integer(point.randint(1, 99)) for p in every}
    rows = [[fmpq(int(sp.sympify(x.get(p, 0)).xreplace(at))) for p in fixed] for x in directions]
    require(not rows or fmpq_mat(rows).det() != 0, "the symmetries do not set them")


def property_derivatives(data: st.DataObject, tally: Tally) -> None:
    """Every entry of a minor encloses what power series give, as closely as they do."""
    del tally
    order, n_, d_, d_v_ = shape = shape_of(data)
    free = free_parameters(*shape)
    random = Random(data.draw(st.integers(0, 99), label="seed"))  # noqa: S311 - no secret
    with arb_precision(200):

        def matrix(rows: int, columns: int) -> list[list[Any]]:
            return [
                [arb(random.randint(-99, 99)) / 50 for _ in range(columns)] for _ in range(rows)
            ]

        keys, values = ([matrix(n_, width) for _ in range(order)] for width in (d_, d_v_))
        queries = matrix(len(free), d_)
        found = minor(queries, keys, values, free)
        require((found.nrows(), found.ncols()) == (len(free), len(free)), "another size")
        i = data.draw(st.integers(0, len(free) - 1), label="row")
        for k, p in enumerate(free):
            slope = along(queries[i], i % d_v_, keys, values, unit(p, shape))[1]
            require(bool(abs(found[i, k] - slope) < arb(2) ** -120), "another derivative")

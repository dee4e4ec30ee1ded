"""H6 `best-floor`: every floor that applies, and the largest."""

from __future__ import annotations

from hypothesis import strategies as st

from kvfloor.floors import (
    Guarantee,
    best_floor,
    every_floor,
    identifiable,
    key_symbols,
    most_levels,
    randomised_four_cache,
    symbol_bits,
    value_symbols,
)
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.best_floor import (
    d,
    derivations,
    property_enough,
    property_largest,
    property_recovery,
    shapes,
)
from kvfloor_proofs.claims.key_levels import width
from kvfloor_proofs.claims.value_floor import d_v, n
from kvfloor_proofs.claims.value_levels import m
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]

EQ, GE = Relation.EQ, Relation.GE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    pays, pays_at_one, numbers, numbers_at_one, _ = derivations()
    return (
        Constant(
            every_floor,
            (
                both_sides("behind each there are so many symbols", property_recovery),
                both_sides("with all levels, and with errors", property_terms),
                both_sides("a cache that is there has as many bits", property_enough),
            ),
            slack="payloads of more than one query are left out, and keys where norms are bounded",
        ),
        Constant(best_floor, (both_sides("the largest, by its claim", property_largest),)),
        Constant(
            key_symbols,
            (
                concluded(pays, GE, lambda: key_symbols(m, n, width, d_v), start=True),
                concluded(pays_at_one, GE, lambda: key_symbols(1, n, width, d_v), start=True),
            ),
        ),
        Constant(
            value_symbols,
            (
                concluded(pays, GE, lambda: value_symbols(m, n, d_v)),
                concluded(pays_at_one, GE, lambda: value_symbols(1, n, d_v)),
            ),
        ),
        Constant(
            identifiable,
            (
                concluded(
                    *(numbers, EQ),
                    lambda: identifiable(m, n, d, d_v) - key_symbols(m, n, d - 3 * m, d_v),
                    start=True,
                ),
                concluded(
                    *(numbers_at_one, EQ),
                    lambda: identifiable(1, n, d, d_v) - key_symbols(1, n, d - 3, d_v),
                    start=True,
                ),
            ),
        ),
    )


def property_terms(data: st.DataObject, tally: Tally) -> None:
    """Levels are the most that (η, α) tells apart; bits are those of symbols read with error δ."""
    del tally
    n_, d_, terms = data.draw(shapes(), label="n, d, terms")
    error = data.draw(st.fractions(0, "1/2", max_denominator=30), label="δ")
    cap = data.draw(st.integers(2, 40), label="levels")
    most = most_levels(Guarantee(terms["eta"], terms["alpha"]), cap)
    for floor in every_floor(n_, d_, **terms, delta=error, levels=cap):
        require(floor.bits == symbol_bits(floor.symbols, floor.levels, error), "other bits")
        if floor.claim in {"value-levels", "key-levels"}:
            require(floor.levels == most, f"{floor.claim} has other levels")
        if floor.claim == "four-cache":
            rows = floor.symbols // terms["d_v"]
            known = randomised_four_cache(rows, terms["d_v"], error)
            require(floor.bits == known, "other bits than T1")
    exact = every_floor(n_, d_, d_v=terms["d_v"], order=terms["order"])
    require(max(floor.levels for floor in exact) == 2**16, "another end to levels")
    for bad in ({"delta": "3/5"}, {"levels": 1}, {"order": 0}, {"alpha": "1/2"}, {"rho": -1}):
        require(refuses(lambda bad=bad: every_floor(n_, d_, **bad)), f"{bad} is taken")

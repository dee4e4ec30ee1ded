"""H6 `best-floor`: every floor that applies, and the largest."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from kvfloor.floors import (
    Guarantee,
    address_entries,
    best,
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
                both_sides("no slot and no payload is left out", property_none_missing),
                both_sides("tokens that bounded norms tell apart", property_bounded_norms),
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


def property_none_missing(data: st.DataObject, tally: Tally) -> None:
    """Whatever names its tokens in d entries counts, in as many slots as it can."""
    del tally
    n_, d_, terms = data.draw(shapes(), label="n, d, terms")
    order, columns = terms["order"], terms["d_v"]
    most = most_levels(Guarantee(terms["eta"], terms["alpha"]))
    bits = {floor.claim: floor.bits for floor in every_floor(n_, d_, **terms)}
    for slots in range(1, order + 1):
        least = []
        if address_entries(slots, n_, tied=False) <= d_:
            least.append(("value-levels", value_symbols(slots, n_, columns)))
        payload = d_ - address_entries(slots, n_, tied=True)
        if n_ > 1 and payload >= 1 and columns >= slots:
            least.append(("key-levels", key_symbols(slots, n_, payload, columns)))
        for claim, symbols in least:
            found, known = bits.get(claim, 0), symbol_bits(symbols, most)
            require(found >= known, f"{claim} counts too little in {slots} slots")
    if order > 1 and n_ > 1 and address_entries(2, n_, tied=False) <= d_:
        require("value-floor" in bits, "two slots hold no symbols")


def property_bounded_norms(data: st.DataObject, tally: Tally) -> None:
    """With norms bounded, tokens that ρ tells apart hold the levels that pay most."""
    del tally
    n_, d_ = data.draw(st.integers(1, 16), label="n"), data.draw(st.integers(1, 5), label="d")
    rho = data.draw(st.fractions(0, 8, max_denominator=4), label="ρ")
    columns, cap = data.draw(st.integers(1, 3), label="d_v"), data.draw(st.integers(2, 5))
    guarantee: dict[str, Any] = {
        "eta": data.draw(st.sampled_from((Fraction(0), Fraction(1, 16))), label="η"),
        "alpha": data.draw(st.fractions("1/24", "1/10", max_denominator=24), label="α"),
    }
    most = most_levels(Guarantee(**guarantee), cap)
    known = {
        L: best(n_, d_, rho=rho, d_v=columns, levels=L, **guarantee) for L in range(2, most + 1)
    }
    floors = every_floor(n_, d_, d_v=columns, rho=rho, levels=cap, **guarantee)
    found = {floor.claim: floor for floor in floors}
    names = {"all tokens": "four-cache", "large norms": "norm-dimension"}
    named = names.get(known[2].regime, "low-dimension")
    require(found[named].symbols == known[2].addresses * columns, f"{named} is another")
    floor = found["value-levels"]
    held = known[floor.levels].addresses * columns
    require(floor.symbols == held, "tokens that ρ does not tell apart for these levels")
    bits = max(symbol_bits(b.addresses * columns, L) for L, b in known.items())
    require(floor.bits == bits, "other levels pay more")


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
    plain = {"order": terms["order"], "alpha": terms["alpha"]}
    require(every_floor(n_, d_, **plain) == every_floor(n_, d_, d_v=d_, **plain), "another d_v")
    exact = every_floor(n_, d_, d_v=terms["d_v"], order=terms["order"])
    require(max(floor.levels for floor in exact) == 2**16, "another end to levels")
    for bad in ({"delta": "3/5"}, {"levels": 1}, {"order": 0}, {"alpha": "1/2"}, {"rho": -1}):
        require(refuses(lambda bad=bad: every_floor(n_, d_, **bad)), f"{bad} is taken")

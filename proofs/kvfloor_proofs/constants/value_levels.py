"""H6 `value-levels`: levels and their room, symbols in values, entries that name a key."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import sympy as sp
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.families import Dense, binary_keys, parabola, tuple_keys
from kvfloor.floors import Guarantee
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.decode_threshold import alpha, eta
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.claims.value_floor import L, d_v, k, n, rho
from kvfloor_proofs.claims.value_levels import (
    T,
    dense_guarantees,
    derivations,
    m,
    property_least_multiplier,
    property_levels,
    property_recovery,
)
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]

EQ, LT = Relation.EQ, Relation.LT
_EXACT = SimpleNamespace(eta=sp.Integer(0), alpha=alpha)


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    row, top, grid, _, _, _, _, suffices, count, count_of_one, fewer, fewer_of_one = derivations()

    def level(number: sp.Expr, gap: sp.Expr) -> sp.Expr:
        grown = floors.growth(SYMBOLS) ** number - 1
        return (2 * alpha + gap) * grown / (2 * eta)

    def rises() -> sp.Expr:
        upper = (1 - eta) * level(k + 1, rho)
        return upper - (1 + eta) * level(k, rho) - 2 * alpha

    return (
        Constant(floors.growth, (concluded(row, EQ, rises, start=True),)),
        Constant(
            floors.equal_room,
            (
                concluded(
                    *(top, EQ),
                    lambda: level(L - 1, floors.equal_room(SYMBOLS, L)),
                    start=True,
                ),
                concluded(grid, EQ, lambda: floors.equal_room(_EXACT, L)),
                both_sides("no other levels have more", property_levels),
            ),
        ),
        Constant(
            floors.most_levels,
            (both_sides("as many as fit one by one, no more", property_levels),),
        ),
        Constant(
            floors.symbol_ratio,
            (
                assumed(
                    *(suffices, g, "low"),
                    lambda: floors.symbol_ratio(SYMBOLS, T - 1, rho),
                    strict=True,
                    through=sp.exp,
                ),
            ),
        ),
        Constant(
            floors.value_symbols,
            (
                concluded(count, EQ, lambda: floors.value_symbols(m, n, d_v)),
                concluded(count_of_one, EQ, lambda: floors.value_symbols(1, n, d_v)),
                concluded(fewer, LT, lambda: floors.value_symbols(m, n, d_v) * sp.log(L)),
                concluded(fewer_of_one, LT, lambda: floors.value_symbols(1, n, d_v) * sp.log(L)),
                both_sides("so many symbols come back", property_recovery),
            ),
        ),
        Constant(
            floors.address_entries,
            (
                both_sides(
                    "keys of so many, and of one less for no three of them", property_entries
                ),
            ),
        ),
        Constant(
            floors.best,
            (both_sides("with levels, as many tokens as the room leaves", property_best),),
        ),
        Constant(
            Dense,
            (
                both_sides("all symbols come back", property_recovery),
                both_sides("C is the least multiplier", property_least_multiplier),
                both_sides("bits unless levels are asked for", property_defaults),
            ),
        ),
    )


def property_entries(data: st.DataObject, tally: Tally) -> None:
    """Books have as many entries as is said; on a line no key between two others stands out."""
    del tally
    order, size = data.draw(st.integers(1, 3), label="m"), data.draw(st.integers(1, 4), label="n")
    book = binary_keys(size) if size <= 2 else parabola(size)
    entries = floors.address_entries(order, size, tied=False)
    require(tuple_keys(book, order).d == entries, "another number of entries")
    if size >= 3:
        low, between, high = sorted(data.draw(st.tuples(*[st.integers(-9, 9)] * 3), label="line"))
        q = data.draw(st.integers(-5, 5), label="query")
        require(q * between <= max(q * low, q * high), "it stands out on a line")


def property_best(data: st.DataObject, tally: Tally) -> None:
    """Two keys on a line, ρ = 2g: both count exactly if the margin is enough for the levels."""
    del tally
    levels, guarantee = data.draw(dense_guarantees(), label="L, guarantee")
    rho_ = data.draw(st.fractions(0, 12, max_denominator=16), label="ρ")
    room = Fraction(floors.equal_room(guarantee, levels))
    ratio = (1 + guarantee.eta + 2 * guarantee.alpha) / room
    terms: dict[str, Any] = {"eta": guarantee.eta, "alpha": guarantee.alpha, "levels": levels}
    found = floors.best(2, 1, d_v=3, rho=rho_, **terms)
    addresses = 2 if floors.exceeds_log(2 * rho_, ratio) else 1
    require(found.addresses == addresses, f"{found.addresses} tokens")
    require(found.bits == floors.whole_bits(3 * addresses, levels), "another number of bits")
    most: dict[str, Any] = {"alpha": Fraction(1, 2 * levels), "levels": levels + 1}
    require(refuses(lambda: floors.best(2, 1, rho=rho_, **most)), "more levels than there are")


def property_defaults(data: st.DataObject, tally: Tally) -> None:
    """Who names a book and d_v gets bits in values, and answers that are exact."""
    del tally
    family = Dense(tuple_keys(parabola(2), 1), data.draw(st.integers(1, 3), label="d_v"))
    require((family.L, family.b, family.guarantee) == (2, 0, Guarantee()), "other symbols")

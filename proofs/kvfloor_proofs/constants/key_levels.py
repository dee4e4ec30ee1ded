"""H6 `key-levels`: symbols in keys, what payloads lift, entries of tied addresses."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.errors import InputError
from kvfloor.families import (
    Dense,
    TupleBook,
    binary_keys,
    orthonormal,
    parabola,
    tied_keys,
    tuple_keys,
)
from kvfloor.floors import address_entries, exceeds_log, key_symbols, least_multiplier, tied_lift
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.key_levels import (
    X,
    derivations,
    gamma,
    property_least_multiplier,
    property_recovery,
    width,
)
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.claims.value_floor import L, d_v, n, rho
from kvfloor_proofs.claims.value_levels import T, m
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, _, lift, leaks, margin, _, _, count, count_of_one, fewer, fewer_of_one = derivations()

    def enough() -> sp.Expr:
        ratio = floors.symbol_ratio(SYMBOLS, T - 2, rho)
        return sp.log(ratio) + tied_lift(m, gamma, X)

    return (
        Constant(
            tied_lift,
            (
                concluded(lift, LE, lambda: tied_lift(m, gamma, X) - g),
                assumed(margin, g, "low", enough, strict=True),
            ),
        ),
        Constant(floors.symbol_ratio, (assumed(margin, g, "low", enough, strict=True),)),
        Constant(
            floors.greatest_leak,
            (concluded(margin, LT, lambda: floors.greatest_leak(SYMBOLS, rho)),),
        ),
        Constant(
            floors.leak,
            (concluded(leaks, LT, lambda: floors.leak((T - 2) * sp.exp(-g))),),
        ),
        Constant(
            key_symbols,
            (
                concluded(count, EQ, lambda: key_symbols(m, n, width, d_v)),
                concluded(count_of_one, EQ, lambda: key_symbols(1, n, width, d_v)),
                concluded(fewer, LT, lambda: key_symbols(m, n, width, d_v) * sp.log(L)),
                concluded(fewer_of_one, LT, lambda: key_symbols(1, n, width, d_v) * sp.log(L)),
                both_sides("so many symbols come back", property_recovery),
            ),
        ),
        Constant(
            address_entries,
            (both_sides("tied keys of so many entries", property_tied_entries),),
        ),
        Constant(
            least_multiplier,
            (both_sides("with a lift, the least C that makes up for it", property_lift),),
        ),
        Constant(
            tied_keys,
            (both_sides("queries tie two, and no others come near", property_ties),),
        ),
        Constant(
            Dense,
            (
                both_sides("all symbols come back", property_recovery),
                both_sides("C is the least multiplier", property_least_multiplier),
                both_sides("payloads need ties, and a column for each mark", property_shapes),
            ),
        ),
    )


def property_tied_entries(data: st.DataObject, tally: Tally) -> None:
    """The entries that are said are those of books of n keys a slot."""
    del tally
    order, size = data.draw(st.integers(1, 2), label="m"), data.draw(st.integers(2, 6), label="n")
    others = binary_keys(size - 1) if size <= 3 else parabola(size - 1)
    entries = address_entries(order, size, tied=True)
    require(tied_keys(others, order).d == entries, "another number of entries")


def property_lift(data: st.DataObject, tally: Tally) -> None:
    """C·margin exceeds the logarithm and the lift; for one less it does not."""
    del tally
    margin = data.draw(st.fractions(Fraction(1, 8), 8, max_denominator=8), label="margin")
    ratio = data.draw(st.fractions(0, 40, max_denominator=8), label="ratio")
    lift = data.draw(st.fractions(0, 40, max_denominator=8), label="lift")
    found = least_multiplier(margin, ratio, lift)
    require(exceeds_log(found * margin - lift, ratio), f"{found} is not enough")
    fewer = found - 1
    require(fewer == 0 or not exceeds_log(fewer * margin - lift, ratio), "one less is enough")


def property_ties(data: st.DataObject, tally: Tally) -> None:
    """Of all tuples the two are at the top, alike, and the next one is the margin below or more."""
    del tally
    others = data.draw(st.integers(2, 4), label="n - 1")
    make = data.draw(st.sampled_from((parabola, binary_keys, orthonormal)), label="book")
    order = data.draw(st.integers(1, 2), label="m")
    book, gaps = tied_keys(make(others), order), []
    for slot in range(order):
        for row in range(1, book.n):
            query = book.tie(slot, row)
            logits = {
                place: sum(x * y for x, y in zip(query, key, strict=True))
                for place, key in zip(book.addresses(), book.products.keys, strict=True)
            }
            first, partner = (0,) * order, tuple(row * (r == slot) for r in range(order))
            tied = {logits.pop(first), logits.pop(partner)}
            require(len(tied) == 1, "the two are not alike")
            gaps.append(tied.pop() - max(logits.values()))
    require(min(gaps) == book.tie_margin > 0, "another margin")


def property_shapes(data: st.DataObject, tally: Tally) -> None:
    """Tokens have d entries and d_v; payloads are refused where they cannot be read."""
    del tally
    order, b = data.draw(st.integers(1, 2), label="m"), data.draw(st.integers(1, 3), label="b")
    family = Dense(tied_keys(parabola(1), order), order, b)
    tokens = family.encode((0,) * family.size)
    require({len(key) for token in tokens for key in token.keys} == {family.d}, "another d")
    for book, columns in ((tied_keys(parabola(1), order), order - 1), (_plain(order), order)):
        try:
            Dense(book, columns, b)
        except InputError:
            continue
        require(holds=False, otherwise="payloads that cannot be read are taken")


def _plain(order: int) -> TupleBook:
    return tuple_keys(parabola(2), order)

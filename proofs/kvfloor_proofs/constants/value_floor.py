"""S1 `value-floor`: rooms, the margin that symbols take, how many there are and in what bits."""

from __future__ import annotations

import sympy as sp
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.errors import InputError
from kvfloor.families import PairedValues, sign_pairs
from kvfloor.floors import Guarantee, whole_bits
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.decode_threshold import c
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.claims.value_floor import (
    L,
    d_v,
    derivations,
    k,
    n,
    property_exactly_when,
    property_least_multiplier,
    property_recovery,
    rho,
    z,
)
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LT, GT, GE = Relation.LT, Relation.GT, Relation.GE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, _, rooms, below, above, _, suffices, needed, on_grid, leaks, _, count, fewer = derivations()
    competitors = n**2 - 1

    def grid_room() -> sp.Expr:
        return floors.grid_room(SYMBOLS, L)

    def threshold() -> sp.Expr:
        return floors.least_answer(SYMBOLS, z, floors.greatest_leak(SYMBOLS, rho))

    def ratio(of: sp.Expr, room: sp.Expr = rho) -> sp.Expr:
        return floors.symbol_ratio(SYMBOLS, of, room)

    return (
        Constant(
            floors.room,
            (
                concluded(
                    *(rooms, GE),
                    lambda: floors.room(SYMBOLS, k / (L - 1), (k + 1) / (L - 1)),
                    start=True,
                ),
                both_sides("neighbours are in order exactly then", property_exactly_when),
            ),
        ),
        Constant(floors.grid_room, (concluded(rooms, GE, grid_room),)),
        Constant(
            floors.symbol_ratio,
            (
                assumed(suffices, g, "low", lambda: ratio(c), strict=True, through=sp.exp),
                assumed(needed, g, "high", lambda: ratio(c), strict=False, through=sp.exp),
                assumed(
                    *(on_grid, g, "low"),
                    lambda: ratio(competitors, grid_room()),
                    strict=True,
                    through=sp.exp,
                ),
            ),
        ),
        Constant(
            floors.greatest_leak,
            (
                concluded(suffices, LT, lambda: floors.greatest_leak(SYMBOLS, rho)),
                concluded(needed, GE, lambda: floors.greatest_leak(SYMBOLS, rho)),
                concluded(on_grid, LT, lambda: floors.greatest_leak(SYMBOLS, grid_room())),
            ),
        ),
        Constant(
            floors.least_answer, (concluded(below, LT, threshold), concluded(above, GT, threshold))
        ),
        Constant(
            floors.leak,
            (concluded(leaks, Relation.LE, lambda: floors.leak(competitors * sp.exp(-g))),),
        ),
        Constant(
            floors.paired_symbols,
            (
                concluded(count, Relation.EQ, lambda: floors.paired_symbols(n, d_v)),
                concluded(fewer, LT, lambda: floors.paired_symbols(n, d_v) * sp.log(L)),
                both_sides("so many symbols come back", property_recovery),
            ),
        ),
        Constant(whole_bits, (both_sides("2^b >= L^N, and not with b - 1", property_whole_bits),)),
        Constant(
            PairedValues,
            (
                both_sides("all symbols come back", property_recovery),
                both_sides("C is the least multiplier", property_least_multiplier),
                both_sides("symbols of two levels unless others are asked for", property_defaults),
            ),
        ),
    )


def property_defaults(data: st.DataObject, tally: Tally) -> None:
    """Who names a book and d_v gets bits, and answers that are exact."""
    del tally
    family = PairedValues(sign_pairs(2, 8), data.draw(st.integers(1, 3), label="d_v"))
    require((family.L, family.guarantee) == (2, Guarantee()), "by default other symbols")


def property_whole_bits(data: st.DataObject, tally: Tally) -> None:
    """The floor is the least number of bits with as many states as there are instances."""
    del tally
    size = data.draw(st.integers(0, 40), label="N")
    for grid in range(2, 41):
        bits = whole_bits(size, grid)
        require(2**bits >= grid**size, "fewer states than instances")
        require(bits == 0 or grid**size > 2 ** (bits - 1), "not the least number of bits")
    for symbols, grid in ((size, 1), (-1 - size, 2)):
        try:
            whole_bits(symbols, grid)
        except InputError:
            continue
        require(holds=False, otherwise=f"{symbols} symbols of {grid} levels are taken")

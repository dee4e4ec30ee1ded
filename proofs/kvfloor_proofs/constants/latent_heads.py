"""H2 `latent-heads`: a latent as one head, by entries of its key and of its value."""

from __future__ import annotations

import sympy as sp
from hypothesis import strategies as st

from kvfloor.floors import four_cache, latent_part, stored_bits, value_symbols
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.latent_heads import (
    a,
    derivations,
    property_floor_is_met,
    property_recovery,
    rank,
)
from kvfloor_proofs.claims.value_floor import L, n
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    count, fewer = derivations()
    return (
        Constant(
            value_symbols,
            (
                concluded(count, Relation.EQ, lambda: value_symbols(1, n, rank - a)),
                concluded(fewer, Relation.LT, lambda: value_symbols(1, n, rank - a) * sp.log(L)),
                both_sides("so many symbols come back", property_recovery),
            ),
        ),
        Constant(
            four_cache,
            (
                concluded(count, Relation.EQ, lambda: four_cache(n, rank - a)),
                both_sides("a cache of so many bits answers all heads", property_floor_is_met),
            ),
        ),
        Constant(
            latent_part,
            (both_sides("all entries are stored, two at least name a token", property_part),),
        ),
    )


def property_part(data: st.DataObject, tally: Tally) -> None:
    """Key and value of the part have the entries of latent and rotary key, two or more of a key."""
    del tally
    entries = data.draw(st.integers(0, 5), label="rotary entries")
    size = data.draw(st.integers(1, 9), label="r")
    columns = data.draw(st.integers(1, 12), label="columns of all heads")
    window = data.draw(st.none() | st.integers(1, 4), label="window")
    taken = max(0, 2 - entries)
    if size <= taken or columns < size - taken:
        require(refuses(latent_part, 3, size, entries, columns, window), "it cannot be read")
        return
    part = latent_part(3, size, entries, columns, window)
    require((part.layers, part.heads, part.window) == (3, 1, window), "other layers")
    require(part.d == max(2, entries) and part.d_v == size - taken, "other entries")
    require(stored_bits([part], 1, 1) == 3 * (size + entries), "other entries are stored")

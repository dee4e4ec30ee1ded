"""H1 `heads-and-layers`: bits of a model, of its stored entries, and of rounded parts."""

from __future__ import annotations

from typing import Any

import sympy as sp
from hypothesis import strategies as st

from kvfloor.caches import LayeredCache
from kvfloor.floors import (
    Part,
    every_floor,
    four_cache,
    heads_and_layers,
    model_floors,
    retrievable,
    stored_bits,
    symbol_bits,
    total_bits,
)
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.heads_and_layers import (
    G,
    Layers,
    W,
    d_v,
    derivations,
    n,
    property_floor_is_met,
    property_recovery,
    windowed,
)
from kvfloor_proofs.claims.index_deterministic import N
from kvfloor_proofs.claims.retrievable_information import L, delta
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.entropies import entropy_bits
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]

EQ, LT, GE = Relation.EQ, Relation.LT, Relation.GE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    count, windows, bits, symbols, randomised, _, _ = derivations()
    one, others = (sp.log(x) / sp.log(2) for x in (L, L - 1))

    def whole(tokens: sp.Expr, layers: sp.Expr) -> sp.Expr:
        return heads_and_layers(layers, G, four_cache(tokens, d_v))

    return (
        Constant(
            heads_and_layers,
            (
                concluded(count, EQ, lambda: whole(n, Layers)),
                concluded(windows, EQ, lambda: whole(n, Layers) + whole(W, windowed)),
                concluded(bits, LT, lambda: 2 ** whole(n, Layers)),
                concluded(symbols, LT, lambda: heads_and_layers(Layers, G, N) * sp.log(L)),
                concluded(
                    *(randomised, GE),
                    lambda: retrievable(
                        heads_and_layers(Layers, G, N), one, entropy_bits(delta), delta, others
                    ),
                ),
                both_sides("so many bits come back", property_recovery),
            ),
        ),
        Constant(
            model_floors,
            (both_sides("each floor of a head, so many times over", property_model),),
        ),
        Constant(
            total_bits,
            (both_sides("the least whole number above k - 1 rounded up less", property_total),),
        ),
        Constant(
            stored_bits,
            (both_sides("entry by entry of all tokens that are seen", property_stored),),
        ),
        Constant(
            LayeredCache,
            (both_sides("exactly the bits of the floor", property_floor_is_met),),
        ),
    )


@st.composite
def _parts(draw: st.DrawFn) -> Part:
    small = st.integers(1, 6)
    window = draw(st.none() | st.integers(1, 12), label="window")
    return Part(draw(small), draw(small), draw(small), draw(small), window)


def property_model(data: st.DataObject, tally: Tally) -> None:
    """The floors of a part are those of a head of the tokens it sees, by their symbols."""
    del tally
    parts = data.draw(st.lists(_parts(), max_size=3), label="parts")
    tokens = data.draw(st.integers(1, 9), label="n")
    error = data.draw(st.sampled_from((0, "1/10")), label="δ")
    terms: dict[str, Any] = {"alpha": "1/20", "delta": error}
    found = model_floors(parts, tokens, **terms)
    require(tuple(row.part for row in found) == tuple(parts), "other parts")
    for part, row in zip(parts, found, strict=True):
        seen = min(tokens, part.window or tokens)
        require(row.tokens == seen, "other tokens are seen")
        for of_all, of_one in zip(
            row.floors, every_floor(seen, part.d, d_v=part.d_v, **terms), strict=True
        ):
            require(of_all.claim == of_one.claim, "other claims")
            require(of_all.levels == of_one.levels, "other levels")
            times = part.layers * part.heads
            require(of_all.symbols == times * of_one.symbols, "other symbols")
            known = symbol_bits(times * of_one.symbols, of_one.levels, error)
            require(of_all.bits == known, "other bits")
    for bad in ((0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0), (1, 1, 1, 1, 0)):
        require(refuses(Part, *bad), f"{bad} is taken")
    require(refuses(model_floors, parts, 0), "no tokens are taken")


def property_total(data: st.DataObject, tally: Tally) -> None:
    """Of parts each just above a whole number the total is what they need, rounded up."""
    del tally
    whole = data.draw(st.lists(st.integers(0, 9), max_size=5), label="bits less one")
    rounded = [bits + 1 for bits in whole]  # of bits + ε, for any small ε > 0
    require(total_bits(rounded) == sum(whole) + bool(whole), "not the least whole number above")


def property_stored(data: st.DataObject, tally: Tally) -> None:
    """Each entry of each key and value that is seen, counted one by one."""
    del tally
    parts = data.draw(st.lists(_parts(), max_size=2), label="parts")
    tokens = data.draw(st.integers(1, 5), label="n")
    width = data.draw(st.integers(1, 16), label="bits of an entry")
    entries = [
        entry
        for part in parts
        for _ in range(part.layers * part.heads)
        for place in range(tokens)
        if part.window is None or tokens - place <= part.window
        for entry in (*range(part.d), *range(part.d_v))
    ]
    require(stored_bits(parts, tokens, width) == width * len(entries), "another number of bits")
    require(stored_bits(parts, tokens) == 16 * len(entries), "by default other entries")
    of_pairs = stored_bits(parts, tokens, width, order=2)
    require(of_pairs == 2 * width * len(entries), "a slot is not stored")

"""T7 `sliding-window`: the floor of a window, its margin, and the cache that meets it."""

from __future__ import annotations

from itertools import product

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import window_mask
from kvfloor.caches import WindowCache, configure, restore
from kvfloor.families import BinaryValues, binary_keys
from kvfloor.floors import competitors_per_tie, four_cache, margin_ratio
from kvfloor.index import message
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.sliding_window import W, d_v, derivations, m, n
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.draws import bits
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LT = Relation.LT


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    competitors, margin, window, unrestricted = derivations()
    return (
        Constant(
            competitors_per_tie,
            (concluded(competitors, Relation.EQ, lambda: competitors_per_tie(W, m, False)),),
        ),
        Constant(
            margin_ratio,
            (
                assumed(
                    *(margin, g, "low", lambda: margin_ratio(SYMBOLS, W - 1)),
                    strict=True,
                    through=sp.exp,
                ),
            ),
        ),
        Constant(
            four_cache,
            (
                concluded(window, LT, lambda: 2 ** four_cache(W, d_v)),
                concluded(unrestricted, LT, lambda: 2 ** four_cache(n, d_v)),
                concluded(unrestricted, LT, lambda: 2 ** four_cache(W, d_v), start=True),
            ),
        ),
        Constant(
            WindowCache,
            (both_sides("W·d_v bits, all of them the window's, none before", property_cache),),
        ),
        Constant(
            window_mask, (both_sides("the last w_r tokens of slot r, not one more", property_mask),)
        ),
    )


def property_cache(data: st.DataObject, tally: Tally) -> None:
    """The state changes with every bit in the window, 2^(W·d_v) states, and with none before it."""
    del tally
    size, columns = data.draw(st.integers(1, 9), label="n"), data.draw(st.integers(1, 3))
    order = data.draw(st.integers(1, 2), label="m")
    family = BinaryValues(binary_keys(size), columns, order=order)
    window = data.draw(st.integers(1, size), label="W")
    x = data.draw(bits(family.size), label="bits")
    factory = configure(WindowCache, family=family, window=window)
    state = message(factory, family, x)
    kept = four_cache(window, columns)
    require(state.bits == kept, "the state has not W·d_v bits")
    changes = 0
    for k in range(family.size):
        flipped = (*x[:k], 1 - x[k], *x[k + 1 :])
        changed = message(factory, family, flipped) != state
        require(changed == (k >= family.size - kept), f"bit {k} of {family.size}")
        changes += changed
    require(changes == kept, "another number of bits is kept")
    shape = {"order": order, "d": family.book.d, "d_v": columns}
    again = restore(factory, state, **shape)
    require(again.state() == state.data, "a restored cache has another state")


def property_mask(data: st.DataObject, tally: Tally) -> None:
    """Tuple by tuple: with the position in reach, a slot keeps its own and w_r - 1 before."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    sizes = st.lists(st.integers(1, 5), min_size=order, max_size=order)
    lengths, widths = data.draw(sizes, label="n"), data.draw(sizes, label="w")
    position = data.draw(st.integers(0, 6), label="i")
    mask = window_mask(position, widths, lengths)
    require(mask.shape == tuple(lengths), "another shape")
    slots = [
        {position - back for back in range(width)} & set(range(length))
        for width, length in zip(widths, lengths, strict=True)
    ]
    kept = {place for place in product(*map(range, lengths)) if mask[place]}
    require(kept == set(product(*slots)), "other tuples")

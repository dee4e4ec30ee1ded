"""H4 `given-keys`: the α of one token among others, bits of mixed symbols, what is found."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from kvfloor.families import GivenValues, told_levels
from kvfloor.floors import given_alpha, mixed_bits, randomised_bits, room, symbol_bits
from kvfloor.traces import floor_of
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.decode_threshold import eta
from kvfloor_proofs.claims.given_keys import (
    apart,
    earlier,
    later,
    never_worse,
    property_certificate,
    property_levels,
    property_one_answer,
    property_recovery,
    w,
)
from kvfloor_proofs.claims.value_floor import y, z
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.given_traces import traces
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    alone = SimpleNamespace(eta=eta, alpha=given_alpha(SYMBOLS, w, later, earlier))
    return (
        Constant(
            given_alpha,
            (
                concluded(apart(), Relation.GE, lambda: w * room(alone, y, z)),
                concluded(
                    *(never_worse(), Relation.LE),
                    lambda: given_alpha(SYMBOLS, w, later + earlier, sp.Integer(0)),
                ),
            ),
        ),
        Constant(
            told_levels,
            (
                both_sides("as many as fit one by one", property_levels),
                both_sides("with one more, one answer for two", property_one_answer),
            ),
        ),
        Constant(GivenValues, (both_sides("all symbols come back", property_recovery),)),
        Constant(
            mixed_bits, (both_sides("symbols alike, one by one, and all together", property_mixed),)
        ),
        Constant(
            floor_of,
            (
                both_sides("accepted, and refused with a level more", property_certificate),
                both_sides("for the slot, the scale and the mask that are given", property_asked),
            ),
            slack="the search is greedy",
        ),
    )


def property_asked(data: st.DataObject, tally: Tally) -> None:
    """What is found is of the slot and the scale asked for; what a mask hides holds no symbol."""
    del tally
    keys, queries = data.draw(traces(), label="keys, queries")
    keys = [[[round(x) for x in row] for row in K_r] for K_r in keys]
    queries = [[round(x) for x in row] for row in queries]
    alpha = data.draw(st.fractions(Fraction(1, 200), Fraction(1, 20)), label="α")
    slot = data.draw(st.integers(0, len(keys) - 1), label="slot")
    found = floor_of(keys, queries, alpha=alpha, slot=slot, scale=1)
    of_models = floor_of(keys, queries, alpha=alpha, slot=slot, scale="1/sqrt(d)")
    require(floor_of(keys, queries, alpha=alpha, slot=slot) == of_models, "another scale")
    if found.certificate is None:
        return
    trace = found.certificate["trace"]
    require((trace["slot"], trace["scale"]) == (slot, {"factor": "1", "root": 1}), "another trace")
    hidden = found.tokens[0]
    mask = np.ones([len(K_r) for K_r in keys], dtype=np.bool_)
    np.moveaxis(mask, slot, 0)[hidden] = False
    if mask.any():
        rest = floor_of(keys, queries, alpha=alpha, slot=slot, scale=1, mask=mask)
        require(hidden not in rest.tokens, "what no query sees holds a symbol")


def property_mixed(data: st.DataObject, tally: Tally) -> None:
    """Alike, it is H5; parts add up, but for what each rounds; powers of two are exact bits."""
    del tally
    counts = data.draw(
        st.dictionaries(st.integers(2, 300), st.integers(0, 500), max_size=4), label="symbols"
    )
    error = data.draw(st.fractions(0, "1/2", max_denominator=60), label="δ")
    bits = mixed_bits(counts, error)
    parts = [symbol_bits(size, L, error) for L, size in counts.items()]
    require(sum(parts) - max(0, len(parts) - 1) <= bits <= sum(parts), "parts do not add up")
    exact = {2**j: size for j, size in enumerate(counts.values(), start=1)}
    whole = sum(j * size for j, size in enumerate(counts.values(), start=1))
    require(mixed_bits(exact) == whole, "not the bits of words")
    size = data.draw(st.integers(1, 500), label="N")
    require(mixed_bits({2: size}, error) == randomised_bits(size, error), "for bits, not L4")
    require(refuses(mixed_bits, {2: 1, 3: 1}, Fraction(2, 3)), "errors above a guess are taken")

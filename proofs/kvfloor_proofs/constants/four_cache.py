"""T1 `four-cache`: the floor, the competitors of its family, and the floor with error."""

from __future__ import annotations

from typing import Any

import sympy as sp

from kvfloor import floors
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.four_cache import d_v, derivations, m, n, property_randomised
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    chains = derivations()
    # T, the tuples with the self token, is a sum in the derivations, which the second one does.
    T = {chains[1].conclusion.left: chains[1].conclusion.right}
    return (
        Constant(
            floors.competitors_per_tie,
            (
                concluded(chains[0], Relation.EQ, lambda: _per_tie(self_token=False)),
                concluded(chains[2], Relation.EQ, lambda: _per_tie(self_token=True), names=T),
            ),
        ),
        Constant(
            floors.margin_ratio,
            tuple(
                assumed(chain, g, "low", _ratio(own), strict=True, through=sp.exp, names=T)
                for chain, own in ((chains[7], False), (chains[8], True))
            ),
        ),
        Constant(
            floors.four_cache,
            tuple(
                concluded(chain, Relation.LT, lambda: 2 ** floors.four_cache(n, d_v))
                for chain in chains[11:13]
            ),
        ),
        Constant(
            floors.randomised_four_cache,
            (both_sides("⌈(1 - H₂(δ))·n·d_v⌉: one bit less is below it", property_randomised),),
        ),
    )


def _per_tie(*, self_token: bool) -> Any:
    return floors.competitors_per_tie(n, m, self_token)


def _ratio(self_token: bool) -> Any:
    return lambda: floors.margin_ratio(SYMBOLS, _per_tie(self_token=self_token))

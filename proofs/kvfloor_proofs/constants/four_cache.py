"""T1 `four-cache`: the floor, the competitors of its family, and the floor with error."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.families import BinaryValues, attend_to
from kvfloor.floors import Guarantee
from kvfloor.numbers import arb_precision, to_fmpq, to_fraction
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.four_cache import d_v, derivations, m, n, property_randomised
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.draws import bits, families
from kvfloor_proofs.foundations.properties import Tally, require

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
        Constant(
            BinaryValues,
            (both_sides("so many competitors, the next one g below", property_competitors),),
        ),
    )


def _per_tie(*, self_token: bool) -> Any:
    return floors.competitors_per_tie(n, m, self_token)


def _ratio(self_token: bool) -> Any:
    return lambda: floors.margin_ratio(SYMBOLS, _per_tie(self_token=self_token))


def property_competitors(data: st.DataObject, tally: Tally) -> None:
    """Competitors for each tuple at the top, and the margin, are those of the tuples themselves."""
    del tally
    family = data.draw(families(), label="family")
    plain = BinaryValues(family.book, family.d_v)
    known = (plain.order, plain.self_token, plain.guarantee) == (2, False, Guarantee())
    require(known, "by default another order, a self token, or inexact answers")
    attention = attend_to(family.encode(data.draw(bits(family.size), label="bits")))
    margins = []
    for address in range(family.n):
        output = attention(family.query(address))
        top, *others = output.counts
        found = Fraction(sum(others), top)
        require(found == family.competitors, f"{found} competitors for each tuple at the top")
        if others:
            margins.append(to_fraction(output.logits[0] - output.logits[1]))
    require(min(margins, default=family.margin) == family.margin, f"margins {margins}")
    with arb_precision(200):
        weight = to_fmpq(family.competitors) * arb(to_fmpq(-family.margin)).exp()
        share = weight / (1 + weight)  # what `softmax-concentration` leaves to them
    ball = family.leak()
    require(bool(ball.overlaps(share)), "another share of the competitors")
    require(bool(ball.rad() <= share * 2.0**-100), "a wide ball")

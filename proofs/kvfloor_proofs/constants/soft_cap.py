"""H3 `soft-cap`: tokens that a capped weight singles out, and bits that are enough below."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from kvfloor.floors import Guarantee, capped_tokens, margin_ratio, mean_bits
from kvfloor_proofs.claims.soft_cap import derivations, n, property_cap, property_mean
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    margin, *_ = derivations()
    return (
        Constant(
            margin_ratio,
            (
                assumed(
                    *(margin, g, "low"),
                    lambda: margin_ratio(SYMBOLS, n - 1),
                    strict=True,
                    through=sp.exp,
                ),
            ),
        ),
        Constant(
            capped_tokens,
            (both_sides("answers are in order for so many, not for one more", property_cap),),
        ),
        Constant(
            mean_bits,
            (
                both_sides("the number of ones answers every query", property_mean),
                both_sides("states for all numbers of ones, up to the cap", property_bits),
            ),
        ),
    )


def property_bits(data: st.DataObject, tally: Tally) -> None:
    """So many bits tell (n+1)^d_v states apart; one less do not; a larger cap is refused."""
    del tally
    size, columns = data.draw(st.integers(1, 50), label="n"), data.draw(st.integers(1, 8))
    alpha = data.draw(st.fractions("1/20", "9/20", max_denominator=40), label="α")
    small, large = Fraction(1, 64), Fraction(2)  # tanh(1/64) < 1/10 and tanh(2) > 9/10
    states = (size + 1) ** columns
    found = mean_bits(size, columns, small, alpha)
    require(2**found >= states > 2 ** (found - 1), "another number of bits")
    require(refuses(mean_bits, size, columns, large, alpha), "a larger cap is taken")
    two_apart = capped_tokens(2, small, Guarantee(Fraction(0), alpha)) == 2
    require(not two_apart, "two tokens are told apart where their mean is enough")

"""S4 `norm-dimension`: the regimes of the best floor, and the norms that two dimensions take."""

from __future__ import annotations

import sympy as sp
from hypothesis import strategies as st

from kvfloor.families import parabola
from kvfloor.floors import best, margin_ratio
from kvfloor_proofs.claims.norm_dimension import derivations, n, property_regimes, rho
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, polygon, *_ = derivations()
    return (
        Constant(
            best,
            (
                both_sides(
                    "n in two dimensions, 2 in one; all tokens from 2^d >= n", property_free
                ),
                both_sides("enough norms for two dimensions, and for log₂ n", property_regimes),
            ),
        ),
        Constant(
            margin_ratio,
            (
                assumed(
                    *(polygon, rho, "low", lambda: margin_ratio(SYMBOLS, n - 1)),
                    strict=True,
                    through=lambda end: sp.exp(8 * end / n**2),
                ),
            ),
        ),
        Constant(
            parabola,
            (both_sides("(‖q‖·‖k‖)² at most 10n⁶, above 4n⁶", property_norms),),
            slack="0.4 of 10n⁶ or more, and all of it for n = 1",
        ),
    )


def property_free(data: st.DataObject, tally: Tally) -> None:
    """With norms unbounded: which regime, at the edges of both dimensions."""
    del tally
    d = data.draw(st.integers(1, 12), label="d")
    d_v = data.draw(st.none() | st.integers(1, 4), label="d_v")
    for size in {1, 2, 3, 2**d - 1, 2**d, 2**d + 1}:
        found = best(size, d, rho=None, d_v=d_v)
        addresses = size if d > 1 else min(size, 2)
        require(found.addresses == addresses, "another number of addresses")
        require(found.bits == addresses * (d if d_v is None else d_v), "another number of bits")
        regime = "all tokens" if size <= 2**d else "large norms" if d > 1 else "low dimension"
        require(found.regime == regime, f"{found.regime} for {size} tokens")


def property_norms(data: st.DataObject, tally: Tally) -> None:
    """The largest norms of queries and keys, at strength 1."""
    del tally
    size = data.draw(st.integers(1, 40), label="n")
    norms = parabola(size).norms_squared
    require(4 * size**6 < norms <= 10 * size**6, "other norms")
    require((norms == 10 * size**6) == (size == 1), "the bound is met elsewhere")

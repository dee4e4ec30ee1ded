"""H3 `positions`: what biases leave of a margin, and what sinks ask of it."""

from __future__ import annotations

import sympy as sp

from kvfloor.floors import biased_margin, sink_ratio
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.decode_threshold import c
from kvfloor_proofs.claims.positions import (
    beta,
    derivations,
    property_bias,
    property_sink,
    sigma,
    u,
)
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, _, _, bias, suffices, needed, margin = derivations()

    def least() -> sp.Expr:
        return sink_ratio(SYMBOLS, c, sigma)

    def most() -> sp.Expr:
        return 1 / sink_ratio(SYMBOLS, 1, sigma)

    return (
        Constant(
            biased_margin,
            (
                concluded(bias, Relation.GE, lambda: biased_margin(g, beta)),
                both_sides("no bias takes more", property_bias),
            ),
        ),
        Constant(
            sink_ratio,
            (
                assumed(margin, g, "low", least, strict=True, through=sp.exp),
                assumed(suffices, u, "high", most, strict=True),
                assumed(needed, u, "low", most, strict=False),
                both_sides("in order exactly then, on attention", property_sink),
            ),
        ),
    )

"""E5 `gradient-rounding`: rounded gradients, in every direction."""

from __future__ import annotations

from kvfloor.attention import tensor_attention_gradients_rounded
from kvfloor_proofs.claims.gradient_rounding import property_single, property_sums
from kvfloor_proofs.foundations.constants import Constant, both_sides

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return (
        Constant(
            tensor_attention_gradients_rounded,
            (
                both_sides("of one query as polynomials in e say, proved", property_single),
                both_sides("of two, though one may undo the other", property_sums),
            ),
        ),
    )

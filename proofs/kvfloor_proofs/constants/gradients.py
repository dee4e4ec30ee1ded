"""D6 `gradients`: the definition and its enclosures, held to derivatives of attention."""

from __future__ import annotations

from kvfloor.attention import enclose_gradients, tensor_attention_gradients
from kvfloor_proofs.claims.gradients import (
    property_derivative,
    property_laws,
    property_remainder,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    derivative = both_sides("the derivative of attention, by power series", property_derivative)
    return (
        Constant(tensor_attention_gradients, (derivative,)),
        Constant(
            enclose_gradients,
            (
                derivative,
                both_sides("first differences, but for a second order", property_remainder),
                both_sides("rows sum to g, moments agree, cotangents are linear", property_laws),
            ),
        ),
    )

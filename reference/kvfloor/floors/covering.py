"""How many centres cover a ball, and how products of clusters cluster (U1 `covering-number`)."""

from __future__ import annotations

from typing import Any

__all__ = ["covering_number", "product_radius"]


def covering_number(radius: Any, delta: Any, d: Any) -> Any:
    """(1 + 2R/δ)^d: the most points of a ball of radius R in R^d that are more than δ apart (U1).

    Parameters
    ----------
    radius, delta : number
        R >= 0 and δ > 0; exact if they are.
    d : int
    """
    return (1 + 2 * radius / delta) ** d


def product_radius(radius1: Any, delta1: Any, radius2: Any, delta2: Any) -> Any:
    """R₂δ₁ + R₁δ₂: how far k∘l is from a product of centres within δ₁ and δ₂ of k and l (U1).

    All entries of the first points are at most R₁ in absolute value, of the second R₂.
    """
    return radius2 * delta1 + radius1 * delta2

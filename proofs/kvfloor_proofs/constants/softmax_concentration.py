"""L1 `softmax-concentration`: the leak."""

from __future__ import annotations

import sympy as sp

from kvfloor import floors
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.softmax_concentration import M, derivations, g, tau
from kvfloor_proofs.foundations.constants import Constant, concluded

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    most, top, *_, attained, _ = derivations()
    excess = M * sp.exp(-g) / tau
    return (
        Constant(
            floors.leak,
            (
                concluded(most, Relation.LE, lambda: floors.leak(excess)),
                concluded(top, Relation.GE, lambda: 1 - floors.leak(excess)),
                concluded(attained, Relation.EQ, lambda: floors.leak(excess)),
            ),
        ),
    )

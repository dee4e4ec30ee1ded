"""E5 `gradient-error`: the parts of the bounds, each what a derivation ends in."""

from __future__ import annotations

from kvfloor import floors
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims import gradient_error as claim
from kvfloor_proofs.foundations import pulling_back as steps
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded

__all__ = ["constants"]

LE = Relation.LE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    exponent, _, delta, difference, product, factor, *_, slope, _, _ = claim.derivations()
    bound = both_sides("no gradient is beyond the bound", claim.property_never_exceeded)
    reached = both_sides("the step reaches it", claim.property_reached)
    s, two = steps, floors.gamma(2, steps.u)
    squared = (1 + s.tanh) ** 2 * (1 + s.u) - 1
    return (
        Constant(
            floors.exponent_drift,
            (
                concluded(
                    *(exponent, LE),
                    lambda: floors.exponent_drift(s.own, s.lse, s.gamma, s.gap, s.exp),
                ),
                bound,
            ),
        ),
        Constant(
            floors.delta_error,
            (
                concluded(
                    *(delta, LE),
                    lambda: floors.delta_error(s.spread, s.moved, s.size, s.products),
                ),
                *(bound, reached),
            ),
        ),
        Constant(
            floors.difference_error,
            (
                concluded(
                    *(difference, LE),
                    lambda: floors.difference_error(s.X, s.off, s.parts, s.u, joins=2),
                    names={s.gamma: two},
                ),
                *(bound, reached),
            ),
        ),
        Constant(
            floors.product_off,
            (
                concluded(
                    *(product, LE),
                    lambda: floors.product_off(s.a_max, s.a_off, s.b_max, s.b_off, s.u),
                ),
                *(bound, reached),
            ),
        ),
        Constant(
            floors.slope_factor,
            (concluded(factor, LE, lambda: floors.slope_factor(s.logit, s.cap)), reached),
        ),
        Constant(
            floors.slope_error,
            (
                concluded(
                    *(slope, LE),
                    lambda: floors.slope_error(s.slope, s.change, s.square, s.tanh, s.u, s.epsilon),
                    names={s.products: squared, s.rho: floors.gamma(4, s.u)},
                ),
                bound,
            ),
        ),
    )

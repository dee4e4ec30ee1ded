"""E4 `centred-error`: the parts of the bound, each what a derivation ends in."""

from __future__ import annotations

from kvfloor import floors
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims import centred_error as claim
from kvfloor_proofs.foundations import centring as steps
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded

__all__ = ["constants"]

LE, GE = Relation.LE, Relation.GE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    chains = claim.derivations()
    weight, drift, light, least, quotient = (chains[k] for k in (1, 2, 8, 10, 11))
    rounded, up, down = chains[12:]
    bound = both_sides("no error is beyond the bound", claim.property_never_exceeded)
    blocks = both_sides("no error is beyond the bound, in blocks", claim.property_blocks)
    reached = both_sides("errors of weights reach it", claim.property_reached)
    exps = (steps.R + 1) * steps.epsilon / (1 - steps.epsilon)
    return (
        Constant(
            floors.tuple_drift,
            (
                concluded(
                    *(drift, LE),
                    lambda: floors.tuple_drift(steps.own, steps.gamma, steps.gap, exps),
                ),
            ),
        ),
        Constant(
            floors.weight_error,
            (concluded(weight, GE, lambda: floors.weight_error(steps.x), start=True),),
        ),
        Constant(
            floors.light_error, (concluded(light, LE, lambda: floors.light_error(steps.gamma)),)
        ),
        Constant(
            floors.least_sum,
            (
                concluded(
                    *(least, GE),
                    lambda: floors.least_sum(steps.E, steps.light, steps.lost, steps.sums),
                ),
                *(bound, blocks, reached),
            ),
        ),
        Constant(
            floors.centred_error,
            (
                concluded(quotient, LE, lambda: floors.centred_error(steps.A, steps.B, steps.L)),
                *(bound, blocks, reached),
            ),
        ),
        Constant(
            floors.quotient_error,
            (
                concluded(
                    *(rounded, LE),
                    lambda: floors.quotient_error(steps.b, steps.epsilon, steps.size),
                ),
            ),
        ),
        Constant(
            floors.moved_sum,
            tuple(concluded(chain, LE, lambda: floors.moved_sum(steps.E)) for chain in (up, down)),
        ),
    )

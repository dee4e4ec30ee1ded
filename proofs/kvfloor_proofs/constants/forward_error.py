"""E3 `forward-error`: the parts of the bound, each what a derivation ends in, and their path."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from kvfloor import cost, floors
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims import forward_error as claim
from kvfloor_proofs.foundations import roundings
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LE, GE, EQ = Relation.LE, Relation.GE, Relation.EQ
ZERO = sp.Integer(0)
LSE_ROUNDINGS = sp.Integer(3)  # of a log-sum-exp, as the claim states it: γ_3


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    chains = claim.derivations()
    most, least, carried, sum_off, underflow, log = (chains[k] for k in (3, 4, 8, 9, 10, 11))
    logarithm, whole, relative, logit, formed, factored, weight, products, rescaled, lost = (
        chains[k] for k in (13, 15, 16, 17, 18, 19, 20, 21, 22, 23)
    )
    k_roundings = {claim.g: relative.conclusion.right}  # what derivations call γ
    omega = {claim.lost: lost.conclusion.right}
    lengths = (roundings.n_1, roundings.n_2)
    paths = both_sides("the longest path of one term, orders 1 to 3", property_paths)
    bound = both_sides("no error is beyond the bound", claim.property_never_exceeded)
    blocks = both_sides("no error is beyond the bound, in blocks", claim.property_blocks)
    at_once = {roundings.R: ZERO}  # the maximum is known first
    # The log-sum-exp, part by part: γ, M̄ = |lse| + ℓ, ℓ = ln N + Δ, ρ and h.
    three = relative.conclusion.right.xreplace({claim.k: LSE_ROUNDINGS})
    size_of_log = claim.log + claim.drift
    parts = {
        claim.g: three,
        claim.mu: claim.top + size_of_log,
        claim.ell: size_of_log,
        claim.rho: logarithm.conclusion.right.xreplace({claim.g: three}),
        claim.h: log.conclusion.right,
    }
    return (
        Constant(floors.gamma, (concluded(relative, LE, lambda: floors.gamma(claim.k, claim.u)),)),
        Constant(
            floors.logit_roundings,
            (concluded(logit, EQ, lambda: floors.logit_roundings(roundings.d, roundings.m)), paths),
        ),
        Constant(
            floors.value_roundings,
            (
                *(
                    concluded(chain, EQ, _value_roundings(lengths, roundings.R, factored=how))
                    for chain, how in ((formed, False), (factored, True))
                ),
                *(
                    concluded(
                        chain,
                        EQ,
                        _value_roundings(lengths, None, factored=how),
                        names=at_once,
                    )
                    for chain, how in ((formed, False), (factored, True))
                ),
                paths,
            ),
        ),
        Constant(
            floors.weight_drift,
            (
                concluded(
                    *(weight, LE),
                    lambda: floors.weight_drift(
                        *(roundings.S, claim.u, claim.epsilon, claim.k),
                        rescalings=roundings.R,
                        lost=claim.lost,
                    ),
                    names=k_roundings,
                ),
                concluded(
                    *(weight, LE),
                    lambda: floors.weight_drift(roundings.S, claim.u, claim.epsilon, claim.k),
                    names=k_roundings | {roundings.R: ZERO, claim.lost: ZERO},
                ),
                *(bound, blocks),
            ),
        ),
        Constant(
            floors.underflows,
            (
                concluded(
                    products,
                    LE,
                    lambda: floors.underflows(claim.M, claim.c, roundings.largest, roundings.tiny),
                ),
            ),
        ),
        Constant(
            floors.rescaling_growth,
            (
                concluded(
                    rescaled,
                    LE,
                    lambda: floors.rescaling_growth(claim.u, claim.epsilon, roundings.least),
                ),
            ),
        ),
        Constant(
            floors.weight_underflow,
            (
                concluded(lost, LE, lambda: _weight_underflow(0)),
                concluded(carried, EQ, lambda: _weight_underflow(claim.k + 1), names=omega),
            ),
        ),
        Constant(
            floors.sum_error,
            (
                concluded(
                    *(sum_off, LE),
                    lambda: floors.sum_error(claim.k, claim.u, claim.X, claim.lost),
                    names=k_roundings,
                ),
            ),
        ),
        Constant(
            floors.forward_error,
            (
                concluded(
                    most, LE, lambda: 1 + floors.forward_error(claim.X, 1 + claim.g, claim.h)
                ),
                concluded(
                    least, GE, lambda: 1 - floors.forward_error(claim.X, 1 + claim.g, claim.h)
                ),
                *(bound, blocks),
            ),
            slack="600 drawn evaluations, in float32 and in float64, stay under half of it",
        ),
        Constant(
            floors.underflow_error,
            (
                concluded(
                    underflow, LE, lambda: floors.underflow_error(claim.X, claim.h, claim.lost)
                ),
            ),
        ),
        Constant(
            floors.logsumexp_error,
            (
                concluded(
                    *(whole, LE),
                    lambda: floors.logsumexp_error(
                        *(claim.drift, claim.h, claim.log, claim.top),
                        u=claim.u,
                        epsilon=claim.epsilon,
                    ),
                    names=parts,
                ),
            ),
        ),
    )


def _value_roundings(lengths: Any, rescalings: Any, *, factored: bool) -> Any:
    if rescalings is None:
        return lambda: floors.value_roundings(lengths, factored=factored)
    return lambda: floors.value_roundings(lengths, factored=factored, rescalings=rescalings)


def _weight_underflow(rescalings: Any) -> Any:
    return floors.weight_underflow(rescalings, claim.c, claim.u, roundings.least, roundings.tiny)


class Path:
    """A number that knows how many roundings are on the longest way to it.

    An exp starts anew, and a division follows its dividend: what exps and divisors are off by is
    bounded apart. How long the ways to arguments of exps are is kept in ``logits``.
    """

    def __init__(self, logits: list[int], length: int = 0) -> None:
        self.logits = logits
        self.length = length

    def __add__(self, other: Path) -> Path:
        return Path(self.logits, max(self.length, other.length) + 1)

    __mul__ = __add__

    def __truediv__(self, other: Path) -> Path:
        del other
        return Path(self.logits, self.length + 1)

    def exp(self) -> Path:
        """Return a number with no roundings yet."""
        self.logits.append(self.length)
        return Path(self.logits)


def property_paths(data: st.DataObject, tally: Tally) -> None:
    """The roundings counted are those on the longest way of a term through the evaluations.

    At scale 1 a logit goes without a factor and the four roundings in it.
    """
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    lengths = data.draw(st.lists(st.integers(1, 4), min_size=order, max_size=order), label="n_r")
    d, d_v = (data.draw(st.integers(1, 4), label=name) for name in ("d", "d_v"))
    for factored in (False, True)[:order]:  # there is nothing to factor at order 1
        logits: list[int] = []

        def numbers(*shape: int, logits: list[int] = logits) -> Any:
            return np.vectorize(lambda _: Path(logits), otypes=[object])(np.empty(shape))

        evaluate = cost.attend_factored if factored else cost.attend_formed
        keys, values = ([numbers(n, width) for n in lengths] for width in (d, d_v))
        longest = max(x.length for x in evaluate(numbers(d), keys, values))
        claimed = floors.value_roundings(lengths, factored=factored)
        require(longest == claimed, f"{longest} roundings of a term of an output")
        require(max(logits) == floors.logit_roundings(d, order) - 5, f"{max(logits)} of a logit")

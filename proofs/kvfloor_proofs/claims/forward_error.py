"""E3 `forward-error`: what a plain evaluation in floating point may be off by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Induction,
    Monotone,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.claims.collision import LOGARITHM
from kvfloor_proofs.foundations import roundings
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.plain_floats import FORMATS, error_ratio, evaluate, evaluate_blocks
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations"]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE
Array = npt.NDArray[Any]

j, M, k = sp.symbols("j M k", integer=True)
u, epsilon, delta, mean, drift = sp.symbols("u epsilon delta mu Delta", real=True)
X, w, theta, phi, g, h, F = sp.symbols("X w theta phi gamma kappa F", real=True)
c, lost, mu, ell, moved, r = sp.symbols("c omega M_max ell b r", real=True)
top, log, theta_2, rho = sp.symbols("M_top l theta_2 rho", real=True)
p, v, a, f = (sp.IndexedBase(name, real=True)[j] for name in "pvaf")

# One term of an output: its weight's numerator is off by a factor w within 1/X and X = e^{2Δ}, the
# sum that divides it counted in; roundings add 1 + θ above and 1 + φ below.
_TERM = Assumptions(
    (
        Variable(X, 1),
        Variable(w, 1 / X, X),
        Variable(g, 0, 1),
        Variable(theta, -g, g),
        Variable(h, 0, 1, high_open=True),
        Variable(phi, -h, h),
    ),
    ((F, X * (1 + g) / (1 - h) - 1),),
)
_FACTOR = w * (1 + theta) / (1 + phi)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _roundings(),
        _exponential(),
        _drift(),
        _most(),
        _least(),
        _output("above", 1),
        _output("below", -1),
        _subtractions(),
        _carried(),
        _sum_off(),
        _underflow(),
        _log_above(),
        _log_below(),
        _logarithm("above", 1),
        _logarithm("below", -1),
        _logsumexp(),
        *roundings.derivations(),
    )


def _roundings() -> Derivation:
    return Derivation(
        "k roundings change a number by γ_k = ku/(1-ku) at most, as (1+u)^k·(1-ku) <= 1",
        Assumptions((Variable(u, 0, 1), Variable(k, 0))),
        (1 + u) ** k * (1 - k * u),
        (Step(LE, sp.Integer(1), Induction(k, Positivity()), "The growth is -(k+1)u²(1+u)^k."),),
    )


def _exponential() -> Derivation:
    # 1 - ε <= factor <= 1 + ε <= 1/(1 - ε), so its logarithm is at most that of 1/(1 - ε) in size
    return Derivation(
        "A relative error of ε in exp moves the logarithm of a weight by ε/(1-ε) at most",
        Assumptions((Variable(epsilon, 0, 1, high_open=True),)),
        sp.log(1 / (1 - epsilon)),
        (
            Step(
                LE,
                1 / (1 - epsilon) - 1,
                Cite(LOGARITHM, ((u, 1 / (1 - epsilon)),)),
                "ln u <= u - 1.",
            ),
            Step(EQ, epsilon / (1 - epsilon), Algebra(), "Take the fractions together."),
        ),
    )


def _drift() -> Derivation:
    both = Variable(delta, -drift, drift), Variable(mean, -drift, drift)
    return Derivation(
        "Numerators off by e^δ, over a mean that is off by e^μ: by X = e^{2Δ} at most",
        Assumptions((Variable(drift, 0), *both)),
        sp.exp(delta - mean),
        (
            Step(
                LE,
                sp.exp(2 * drift),
                Monotone(Variable(u), sp.exp(u), delta - mean, 2 * drift, Positivity()),
                "exp grows, and neither is further than Δ from 0.",
            ),
        ),
    )


def _most() -> Derivation:
    return Derivation(
        "A term is multiplied by 1 + F at most",
        _TERM,
        _FACTOR,
        (
            Step(LE, X * (1 + theta) / (1 + phi), Positivity(), "w <= X."),
            Step(LE, X * (1 + g) / (1 + phi), Positivity(), "θ <= γ."),
            Step(LE, X * (1 + g) / (1 - h), Positivity(), "φ >= -κ."),
            Step(EQ, 1 + F, Algebra(), "This is the definition of F."),
        ),
    )


def _least() -> Derivation:
    return Derivation(
        "A term is multiplied by 1 - F at least",
        _TERM,
        _FACTOR,
        (
            Step(GE, (1 + theta) / (X * (1 + phi)), Positivity(), "w >= 1/X."),
            Step(GE, (1 - g) / (X * (1 + phi)), Positivity(), "θ >= -γ."),
            Step(GE, (1 - g) / (X * (1 + h)), Positivity(), "φ <= κ."),
            Step(GE, 1 - F, Positivity(), "x + 1/x >= 2, and more so with γ and κ."),
        ),
    )


def _output(side: str, sign: int) -> Derivation:
    families = (
        Family(p, 0, index=(j, 1, M)),
        Family(a, 0, index=(j, 1, M)),
        Family(v, -a, a, index=(j, 1, M)),
        Family(f, 1 - F, 1 + F, index=(j, 1, M)),
    )
    moved = sp.Sum(sign * p * v * (f - 1), (j, 1, M))
    return Derivation(
        f"The output is at most F·Σ p·|v| {side} the true one",
        Assumptions((Variable(M, 1), Variable(F, 0), *families)),
        sign * (sp.Sum(p * v * f, (j, 1, M)) - sp.Sum(p * v, (j, 1, M))),
        (
            Step(EQ, moved, Algebra(), "Take the sums together."),
            Step(
                LE,
                sp.Sum(F * p * a, (j, 1, M)),
                Termwise(Positivity()),
                "|v| <= a and |f - 1| <= F in every term.",
            ),
            Step(EQ, F * sp.Sum(p * a, (j, 1, M)), Algebra(), "Take F out of the sum."),
        ),
    )


# --- blocks, underflow, log-sum-exp ----------------------------------------------------------


def _subtractions() -> Derivation:
    moves = Family(p, 0, index=(j, 1, M))
    return Derivation(
        "A maximum that moves in M steps p_j: the errors add up to those of one subtraction",
        Assumptions((Variable(u, 0, 1), Variable(M, 1), Variable(w, 0), moves)),
        u * w + sp.Sum(u * p, (j, 1, M)),
        (Step(EQ, u * (w + sp.Sum(p, (j, 1, M))), Algebra(), "All differences have one sign."),),
    )


def _carried() -> Derivation:
    return Derivation(
        "Underflow carried through one more rescaling: T_{k+1} <= c·T_k + c^{k+1}·ω",
        Assumptions((Variable(k, 0), Variable(c, 1), Variable(lost, 0))),
        c * ((k + 1) * c**k * lost) + c ** (k + 1) * lost,
        (Step(EQ, (k + 2) * c ** (k + 1) * lost, Algebra(), "So T_k <= (k+1)·c^k·ω for all k."),),
    )


def _sum_off() -> Derivation:
    parts = Variable(theta, -g, g), Variable(theta_2, -g, g), Variable(delta, -lost, lost)
    return Derivation(
        "The sum of weights is off by κ at most; below as above, with θ and δ negated",
        Assumptions((Variable(g, 0), Variable(lost, 0), Variable(X, 1), Variable(w, 0, X), *parts)),
        theta + delta * (1 + theta_2) * w,
        (Step(LE, g + lost * (1 + g) * X, Positivity(), "Each part at its largest."),),
    )


def _underflow() -> Derivation:
    return Derivation(
        "What the numerator loses, over the sum of weights",
        Assumptions(
            (
                Variable(X, 1),
                Variable(w, 1 / X),
                Variable(h, 0, 1, high_open=True),
                Variable(phi, -h, h),
                Variable(lost, 0),
                Variable(delta, -lost, lost),
            )
        ),
        delta / (w * (1 + phi)),
        (
            Step(LE, lost / (w * (1 + phi)), Positivity(), "No more than ω is lost."),
            Step(LE, lost * X / (1 + phi), Positivity(), "The top weight alone is 1/X."),
            Step(LE, lost * X / (1 - h), Positivity(), "φ >= -κ."),
        ),
    )


_LOG = Assumptions(
    (
        Variable(drift, 0),
        Variable(mean, -drift, drift),
        Variable(h, 0, 1, high_open=True),
        Variable(phi, -h, h),
    )
)


def _log_above() -> Derivation:
    return Derivation(
        "The logarithm of the sum moves up by h = Δ + κ/(1-κ) at most",
        _LOG,
        mean + sp.log(1 + phi),
        (
            Step(LE, drift + sp.log(1 + phi), Positivity(), "μ <= Δ."),
            Step(
                LE,
                drift + phi,
                Monotone(
                    Variable(u), drift + u, sp.log(1 + phi), phi, Cite(LOGARITHM, ((u, 1 + phi),))
                ),
                "ln u <= u - 1.",
            ),
            Step(LE, drift + h / (1 - h), Positivity(), "φ <= κ <= κ/(1-κ)."),
        ),
    )


def _log_below() -> Derivation:
    return Derivation(
        "It moves down by no more: here minus the logarithm",
        _LOG,
        -mean + sp.log(1 / (1 + phi)),
        (
            Step(LE, drift + sp.log(1 / (1 + phi)), Positivity(), "μ >= -Δ."),
            Step(
                LE,
                drift + 1 / (1 + phi) - 1,
                Monotone(
                    Variable(u),
                    drift + u,
                    sp.log(1 / (1 + phi)),
                    1 / (1 + phi) - 1,
                    Cite(LOGARITHM, ((u, 1 / (1 + phi)),)),
                ),
                "ln u <= u - 1.",
            ),
            Step(LE, drift + h / (1 - h), Positivity(), "φ >= -κ."),
        ),
    )


def _logarithm(side: str, sign: int) -> Derivation:
    pair = Variable(r, -epsilon, epsilon), Variable(theta, -g, g)
    return Derivation(
        f"A logarithm with its error and its roundings is multiplied by 1 ± ρ, {side}",
        Assumptions((Variable(g, 0, 1), Variable(epsilon, 0, 1), *pair)),
        sign * ((1 + r) * (1 + theta) - 1),
        (Step(LE, (1 + epsilon) * (1 + g) - 1, Positivity(), "This is ρ."),),
    )


def _logsumexp() -> Derivation:
    sizes = (Variable(symbol, 0) for symbol in (g, rho, mu, ell, h))
    inside = ((theta, g), (w, rho), (top, mu), (log, ell), (moved, h))
    return Derivation(
        "A log-sum-exp M + ln D is off by γ·M̄ + ρ·ℓ + (1+ρ)·h at most; below as above, with M, "
        "ln D and b negated",
        Assumptions((*sizes, *(Variable(symbol, -most, most) for symbol, most in inside))),
        top * (1 + theta) + (log + moved) * (1 + w) - (top + log),
        (
            Step(
                EQ,
                top * theta + log * w + moved * (1 + w),
                Algebra(),
                "The maximum M and the logarithm of the sum cancel.",
            ),
            Step(LE, g * mu + rho * ell + (1 + rho) * h, Positivity(), "Each at its largest."),
        ),
    )


def _tensors(data: st.DataObject) -> tuple[Array, list[Array], list[Array]]:
    dtype = np.dtype(data.draw(st.sampled_from(FORMATS), label="format"))
    lengths = [data.draw(st.integers(1, 12), label=f"n_{r}") for r in (1, 2)]
    d, d_v = data.draw(st.integers(1, 12), label="d"), data.draw(st.integers(1, 4), label="d_v")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))
    q, *rest = (
        rng.normal(size=size).astype(dtype)
        for size in ((d,), *((n, d) for n in lengths), *((n, d_v) for n in lengths))
    )
    return q, rest[:2], rest[2:]


def property_never_exceeded(data: st.DataObject, tally: Tally) -> None:
    """NumPy in float64 and float32, factored and materialised, stays within the bounds."""
    del tally
    q, K, V = _tensors(data)
    for factored in (False, True):
        found = evaluate(q, K, V, factored=factored)
        ratio = error_ratio(found, q, K, V, factored=factored)
        require(ratio <= 1, f"the error is {float(ratio):.3g} times its bound")


def property_blocks(data: st.DataObject, tally: Tally) -> None:
    """So does one pass over blocks, whose maximum moves late."""
    del tally
    q, K, V = _tensors(data)
    order = np.argsort(K[1] @ np.abs(q))
    K[1], V[1] = K[1][order] * q.dtype.type(4), V[1][order]
    block = data.draw(st.integers(1, 5), label="block")
    found = evaluate_blocks(q, K, V, block=block)
    rescalings = -(-len(K[1]) // block) - 1
    ratio = error_ratio(found, q, K, V, factored=True, rescalings=rescalings)
    require(ratio <= 1, f"the error is {float(ratio):.3g} times its bound")


CLAIM = Claim(
    slug="forward-error",
    title="plain evaluation is off by at most (X(1+γ_k)/(1-κ) - 1)·Σ p·|v|, blocks and all",
    statement="""\
Every `+ - × ÷` rounds with relative error at most u, sums in any order; exp and log are within a
relative error ε; nothing overflows. With `γ_k = ku/(1-ku)`, `S̄ = max_t σ Σ_c |q_c Π_r K_r[j_r, c]|`
and R rescalings of an online softmax (R = 0 if the maximum is known first), a logit is off by
`γ_{d+m+4}·S̄ + a` at most, a weight's numerator by a factor within e^±Δ,
`Δ = γ·S̄ + a + 2u·(S̄ + γ·S̄ + a) + (R+1)·ε/(1-ε)`; the logit that is subtracted cancels, and all the
subtractions of a moving maximum together err like one. With X = e^{2Δ}, N tuples and
`κ = γ_{N-1+R} + N·T·(1+γ_{N-1+R})·X`,
`|fl(out_c) - out_c| <= F·Σ_t p_t·|Π_r V_r[j_r, c]| + b·X/(1-κ)`, `F = X·(1+γ_k)/(1-κ) - 1`,
`k = m + N + R` for the materialised evaluation and `k = m + Σ_r (n_r - 1) + 1 + R` for the factored
one. Weights that are stored in a narrower format before they meet the values multiply 1 + γ_k by
1 + its u. A log-sum-exp is off by `γ_3·(|lse| + ℓ) + ρ·ℓ + (1+ρ)(Δ + κ/(1-κ))`, where
`ℓ = ln N + Δ` and `ρ = (1+ε)(1+γ_3) - 1`. A result stored in a narrower format is rounded once
more. Underflow: with τ for a product and λ for an exp, `a`, `b` count the products of logits and
values, each times the largest of later factors, and `T = (R+1)·c^R·(λ(1+u) + τ)` with
`c = (1+u)(1+ε+λ)`.""",
    source="E3; the model is the standard one of IEEE 754 arithmetic",
    assumptions=(
        "no overflow; κ < 1, γ_k <= 1 and (d+m+4)u < 1",
        "a bound ε < 1 on the relative error of exp and of log",
        "the maximum that is subtracted is that of the logits met so far",
    ),
    verdict="holds in model M",
    derivations=derivations,
    properties=(property_never_exceeded, property_blocks),
)

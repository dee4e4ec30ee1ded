"""E3 `forward-error`: what a plain evaluation in floating point may be off by."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.enclosure import enclose
from kvfloor.floors.forward_error import (
    forward_error,
    logit_roundings,
    value_roundings,
    weight_drift,
)
from kvfloor.inputs import ball_ends, to_fmpq
from kvfloor.precision import arb_precision
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
from kvfloor_proofs.claim import Claim, Tally, require
from kvfloor_proofs.claims.collision import LOGARITHM

__all__ = ["CLAIM", "derivations"]

LE, GE = Relation.LE, Relation.GE
Array = npt.NDArray[Any]

j, M, k = sp.symbols("j M k", integer=True)
u, epsilon, delta, mean, drift = sp.symbols("u epsilon delta mu Delta", real=True)
X, w, theta, phi, g, h, F = sp.symbols("X w theta phi gamma kappa F", real=True)
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
            Step(Relation.EQ, epsilon / (1 - epsilon), Algebra(), "Take the fractions together."),
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
            Step(Relation.EQ, 1 + F, Algebra(), "This is the definition of F."),
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
            Step(Relation.EQ, moved, Algebra(), "Take the sums together."),
            Step(
                LE,
                sp.Sum(F * p * a, (j, 1, M)),
                Termwise(Positivity()),
                "|v| <= a and |f - 1| <= F in every term.",
            ),
            Step(Relation.EQ, F * sp.Sum(p * a, (j, 1, M)), Algebra(), "Take F out of the sum."),
        ),
    )


# Formats with NumPy arithmetic of their own, their unit roundoff, and what exp may be off by: NumPy
# states 4 ulps at worst for float32, and float64's is taken to be as good.
FORMATS = {"float64": (np.float64, Fraction(1, 2**53)), "float32": (np.float32, Fraction(1, 2**24))}
EXP_ULPS = 4


def evaluate(q: Array, K: list[Array], V: list[Array], *, factored: bool) -> Array:
    """Order-2 attention as people write it, in the format of its inputs."""
    if factored:
        logits = (q * K[0]) @ K[1].T
    else:
        logits = ((K[0][:, None, :] * K[1][None, :, :]).reshape(-1, len(q)) @ q).reshape(
            len(K[0]), len(K[1])
        )
    output: Array
    weights = np.exp(logits - logits.max())
    total = weights.sum()
    if factored:
        output = (V[0] * (weights @ V[1])).sum(axis=0) / total
    else:
        products = (V[0][:, None, :] * V[1][None, :, :]).reshape(weights.size, -1)
        output = weights.reshape(-1) @ products / total
    return output


def error_ratio(q: Array, K: list[Array], V: list[Array], *, factored: bool) -> Fraction:
    """The largest error of an output over its bound, bounded from above."""
    unit = FORMATS[q.dtype.name][1]
    lengths = [len(A) for A in K]
    found = evaluate(q, K, V, factored=factored)
    truth = enclose(q, K, V, bits=200).output
    sizes = enclose(q, K, [abs(A) for A in V], bits=64).output
    largest = max(
        sum(abs(Fraction(float(q[c])) * Fraction(float(x[c])) * Fraction(float(y[c])))
            for c in range(len(q)))
        for x in K[0] for y in K[1]
    )  # fmt: skip
    k = logit_roundings(len(q), 2)
    drift = weight_drift(largest, unit, 2 * EXP_ULPS * unit, k)
    with arb_precision(128):
        bound = forward_error(
            arb(to_fmpq(drift)),
            value_roundings(lengths, factored=factored),
            prod(lengths) - 1,
            arb(to_fmpq(unit)),
            lambda x: x.exp(),
        )
        ratios = [
            abs(arb(float(o)) - y) / (bound * size)
            for o, y, size in zip(found.tolist(), truth, sizes, strict=True)
        ]
        return max(ball_ends(ratio)[1] for ratio in ratios)


def property_never_exceeded(data: st.DataObject, tally: Tally) -> None:
    """NumPy in float64 and float32, factored and materialised, stays within the bound."""
    del tally
    name = data.draw(st.sampled_from(sorted(FORMATS)), label="format")
    lengths = [data.draw(st.integers(1, 12), label=f"n_{r}") for r in (1, 2)]
    d, d_v = data.draw(st.integers(1, 12), label="d"), data.draw(st.integers(1, 4), label="d_v")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))
    q, *rest = (
        rng.normal(size=size).astype(FORMATS[name][0])
        for size in ((d,), *((n, d) for n in lengths), *((n, d_v) for n in lengths))
    )
    for factored in (False, True):
        ratio = error_ratio(q, rest[:2], rest[2:], factored=factored)
        require(ratio <= 1, f"the error is {float(ratio):.3g} times its bound")


CLAIM = Claim(
    slug="forward-error",
    title="plain evaluation is off by at most (e^{2Δ}(1+γ_k)/(1-γ_N) - 1)·Σ p·|v|",
    statement="""\
Every `+ - × ÷` rounds with relative error at most u, sums in any order; exp is within a relative
error ε of the exponential of its argument; nothing overflows or underflows. With
`γ_k = ku/(1-ku)` and `S̄ = max_t σ Σ_c |q_c Π_r K_r[j_r, c]|`, a logit is off by
`γ_{d+m+1}·S̄` at most, and a weight's numerator by a factor within e^±Δ,
`Δ = γ_{d+m+1}·S̄ + 2u·S̄(1 + γ_{d+m+1}) + ε/(1-ε)`; the logit that is subtracted cancels. Then
`|fl(out_c) - out_c| <= F·Σ_t p_t·|Π_r V_r[j_r, c]|` with
`F = e^{2Δ}·(1+γ_k)/(1-γ_{N-1}) - 1`, N the number of tuples, k = m + N for the materialised
evaluation and `k = m + Σ_r (n_r - 1) + 1` for the factored one. A result stored in a narrower
format is rounded once more.""",
    source="E3; the model is the standard one of IEEE 754 arithmetic",
    assumptions=(
        "no overflow or underflow; (N-1)u < 1 and (d+m+1)u < 1",
        "a bound ε < 1 on the relative error of exp",
    ),
    verdict="holds in model M",
    derivations=derivations,
    properties=(property_never_exceeded,),
    theorems=(
        "forward_error",
        "forward_error_formed",
        "forward_error_gamma",
    ),
)

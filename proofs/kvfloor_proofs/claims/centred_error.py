"""E4 `centred-error`: errors of weights act on the deviation of the values from the output."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kvfloor.floors import centred_error, least_sum
from kvfloor_proofs.calculus import Derivation
from kvfloor_proofs.foundations import centring
from kvfloor_proofs.foundations.centred_floats import centred_ratio
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.plain_floats import FORMATS, evaluate, evaluate_blocks
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations"]


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return centring.derivations()


def _tensors(data: st.DataObject) -> tuple[Any, list[Any], list[Any]]:
    """Draw an instance of order 2: weights of any size, values about some number."""
    dtype = np.dtype(data.draw(st.sampled_from(FORMATS), label="format"))
    lengths = [data.draw(st.integers(1, 12), label=f"n_{r}") for r in (1, 2)]
    d, d_v = data.draw(st.integers(1, 12), label="d"), data.draw(st.integers(1, 4), label="d_v")
    spread = data.draw(st.sampled_from((0.25, 1.0, 8.0)), label="spread of the logits")
    about = data.draw(st.sampled_from((0.0, 3.0)), label="values are about")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))
    q, *K = (rng.normal(size=size) for size in ((d,), *((n, d) for n in lengths)))
    V = [rng.normal(size=(n, d_v)) + about for n in lengths]
    return (q * spread).astype(dtype), [A.astype(dtype) for A in K], [A.astype(dtype) for A in V]


def property_never_exceeded(data: st.DataObject, tally: Tally) -> None:
    """NumPy in float64 and float32, factored and materialised, stays within the bounds."""
    del tally
    q, K, V = _tensors(data)
    for factored in (False, True):
        ratio = centred_ratio(evaluate(q, K, V, factored=factored), q, K, V)
        require(ratio <= 1, f"the error is {float(ratio):.3g} times its bound")


def property_blocks(data: st.DataObject, tally: Tally) -> None:
    """So does one pass over blocks, whose maximum moves late."""
    del tally
    q, K, V = _tensors(data)
    order = np.argsort(K[1] @ np.abs(q))
    K[1], V[1] = K[1][order], V[1][order]
    block = data.draw(st.integers(1, 5), label="block")
    rescalings = -(-len(K[1]) // block) - 1
    ratio = centred_ratio(evaluate_blocks(q, K, V, block=block), q, K, V, rescalings=rescalings)
    require(ratio <= 1, f"the error is {float(ratio):.3g} times its bound")


def property_reached(data: st.DataObject, tally: Tally) -> None:
    """Errors E of weights, each towards its value's side, reach (1-E)/(1+E) of the bound."""
    del tally
    size = Fraction(1, data.draw(st.integers(2, 1000), label="1/E"))
    drawn = st.lists(st.tuples(*[st.integers(1, 1000)] * 2), min_size=1, max_size=8)
    pairs = data.draw(drawn, label="weights and values")
    weights = [Fraction(w, sum(w for w, _ in pairs)) for w, _ in pairs]
    values = [Fraction(v) for _, v in pairs]
    output = _mean(weights, values)
    sides = [1 if v > output else -1 for v in values]
    computed = [w * (1 + side * size) for w, side in zip(weights, sides, strict=True)]
    deviation = size * _mean(weights, [abs(v - output) for v in values])
    bound = centred_error(deviation, 0, least_sum(size, 0, 0, 0))
    off = abs(_mean(computed, values) / sum(computed) - output)
    require(off <= bound, f"{off} is above {bound}")
    require(off * (1 + size) >= bound * (1 - size), f"{off} is not near {bound}")


def _mean(weights: list[Fraction], values: list[Fraction]) -> Fraction:
    return sum((w * v for w, v in zip(weights, values, strict=True)), Fraction(0))


CLAIM = Claim(
    slug="centred-error",
    title="errors of weights move an output by Σ p·E·|v - out| at most, over what is left of 1",
    statement="""\
The model is that of [`forward-error`](forward-error.md), with sums that round to nearest. Logit t
is off by s_t, and computed at most G_t below the computed maximum. Then its weight is computed as
`C·p_t·(1 + ε_t)`, with one C for all and `|ε_t| <= E_t = Δ_t + Δ_t²`, where
`Δ_t = s_t + γ·G_t + (R+1)·ε/(1-ε) <= 1`, γ is that of the subtraction, R counts rescalings; or C is
such that the heaviest has no error, and the others have `Δ_t + Δ_1` in place of Δ_t. Some weights
may be called light. Without the additions of light ones, let a product of a weight and a value be
rounded k times on its way, a weight k' times on its way to the sum. Then `g_t = γ_k` and
`h_t = γ_k'`, and `γ + 2(1+γ)` of these for light ones: each is lost twice at most, in the sum of a
block and where that is added. With the sum λ of light weights, and ω for what underflow takes from
the sum of weights, over C, before the quotient rounds
`|N/D - out| <= (Σ p_t·E_t·|v_t - out| + Σ p_t·(1+E_t)·(g_t·|v_t| + h_t·|out|))/L` with
`L = (1 - Σ p_t·E_t - λ - ω)·(1 - γ_k') > 0`. A quotient within a relative ε makes that b into
`b·(1+ε) + ε·|out|`. A log-sum-exp is off as in `forward-error`, with `e/(1-e)` for Δ,
`e = Σ p_t·E_t`, and `κ = γ_k' + (γ_k' + 2(1+γ_k'))·λ/(1-e) + ω`. So a heavy tuple alone, and equal
values, are held to a few roundings, however large the logits.""",
    source="E4; the model is the standard one of IEEE 754 arithmetic",
    assumptions=(
        "no overflow; sums round to nearest, ties in any way",
        "a bound ε < 1 on the relative error of exp, of log and of the quotient",
        "the maximum that is subtracted is that of the logits met so far",
        "a light term is lost twice at most; a tree of sums loses no more than its depth rounds",
    ),
    verdict="holds in model M",
    derivations=derivations,
    properties=(property_never_exceeded, property_blocks, property_reached),
)

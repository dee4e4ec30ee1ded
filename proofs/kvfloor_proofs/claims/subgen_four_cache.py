"""U4 `subgen-four-cache`: clusters and samples of each slot on their own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import khatri_rao
from kvfloor.caches import Coins, SubGen4Cache, configure
from kvfloor.collisions import random_inputs
from kvfloor.families import BinaryValues, Token, binary_keys, stack
from kvfloor.floors import (
    all_correct_probability,
    log_ratio,
    product_radius,
    states_up_to,
    subgen_samples,
)
from kvfloor.index import message, output_row
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.claims.covering_number import radii
from kvfloor_proofs.claims.subgen import D1, D2, delta, members, r, sigma
from kvfloor_proofs.foundations import estimators
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import drawn_bits
from kvfloor_proofs.foundations.estimators import i, j, logit, n, ratio, s, t, tau
from kvfloor_proofs.foundations.outcomes import (
    Rows,
    implausible,
    norm,
    outside,
    require_moments,
    square,
    states_after,
)
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations", "reach", "spread"]

EQ, LE = Relation.EQ, Relation.LE

c1, c2, d = sp.symbols("c_1 c_2 d", integer=True)
mu1, mu2, Y = sp.symbols("mu_1 mu_2 Y", real=True)
W1, W2, v, x, y = (sp.IndexedBase(name, real=True)[j] for name in ("W", "U", "v", "x", "y"))
reach = radii[2] * radii[1] + radii[0] * radii[3]  # R₂δ₁ + R₁δ₂
spread = 2 * sigma * r * reach


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _unbiased_normaliser(),
        _spread(),
        _variance(),
        _unbiased_numerator(),
        _norm_of_product(),
        _second_moment(),
    )


def _above_zero(*symbols: sp.Symbol) -> tuple[Variable, ...]:
    return tuple(Variable(symbol, 0, low_open=True) for symbol in symbols)


def _unbiased_normaliser() -> Derivation:
    pairs = (j, 1, c1 * c2)
    return Derivation(
        "The i-th members drawn from two clusters are each pair of members with probability "
        "1/c_1·1/c_2; so the mean of their part of τ' is",
        Assumptions((Variable(c1, 1), Variable(c2, 1), Variable(t, 1), Family(logit, index=pairs))),
        sp.Sum(sp.Sum(1 / c1 * (1 / c2) * (c1 * c2 / t) * sp.exp(logit), pairs), (i, 1, t)),
        (Step(EQ, sp.Sum(sp.exp(logit), pairs), Algebra(), "All pairs of members."),),
    )


def _spread() -> Derivation:
    ranges = (
        *(Variable(symbol, 0) for symbol in (sigma, r, *radii)),
        Variable(D1, 0, reach),
        Variable(D2, 0, reach),
    )
    return Derivation(
        "Products of members of the same two clusters are within D_1 and D_2 of the product of the "
        "centres; so their logits differ by at most ln ϱ",
        Assumptions(ranges),
        sigma * r * (D1 + D2),
        (
            Step(
                LE,
                spread,
                Cite(members(), ((delta, reach),)),
                "U1: both are at most R₂δ₁ + R₁δ₂.",
            ),
        ),
    )


def _variance() -> Derivation:
    one, mean = estimators.X, estimators.normaliser()[-1]
    most = tau**2 * (ratio - 1) ** 2 / (4 * ratio)
    ranges = (Variable(t, 1), Variable(tau, 0), Variable(ratio, 1), Variable(one, 0, most))
    return Derivation(
        "T, the i-th samples of all pairs of clusters with their counts, is within a factor ϱ of "
        "its least value, as in U2; the mean of t of them has the variance",
        Assumptions(ranges),
        sp.Sum(one / t**2, (i, 1, t)),
        (Step(LE, most / t, Cite(mean), "U2: X is the variance of one T."),),
    )


def _families(pairs: tuple[Any, ...]) -> tuple[Family, ...]:
    return (
        Family(W1, 0, low_open=True, index=pairs),
        Family(W2, 0, low_open=True, index=pairs),
        Family(logit, index=pairs),
    )


def _unbiased_numerator() -> Derivation:
    pairs = (j, 1, n)
    each = W1 / mu1 * (W2 / mu2) * (mu1 * mu2 / (s * W1 * W2)) * sp.exp(logit) * v
    ranges = (
        Variable(n, 1),
        Variable(s, 1),
        *_above_zero(mu1, mu2),
        *_families(pairs),
        Family(v, index=pairs),
    )
    return Derivation(
        "The i-th draws are a pair of tokens with probability w_1/μ_1·w_2/μ_2; so the mean of z' "
        "is (v a column of the product of values; n pairs)",
        Assumptions(ranges),
        sp.Sum(sp.Sum(each, pairs), (i, 1, s)),
        (Step(EQ, sp.Sum(sp.exp(logit) * v, pairs), Algebra(), "Weights cancel."),),
    )


def _norm_of_product() -> Derivation:
    columns = (j, 1, d)
    ranges = (
        Variable(d, 1),
        Variable(Y, 0),
        Family(x, 0, index=columns),
        Family(y, 0, Y, index=columns),
    )
    return Derivation(
        "The square of the norm of a product is at most the product of the squares; x and y are "
        "squares of entries, Y the sum of y",
        Assumptions(ranges),
        sp.Sum(x * y, columns),
        (
            Step(LE, sp.Sum(x * Y, columns), Termwise(Positivity()), "y is at most their sum."),
            Step(EQ, Y * sp.Sum(x, columns), Algebra(), "Take Y out of the sum."),
        ),
    )


def _second_moment() -> Derivation:
    pairs = (j, 1, n)
    weight = W1 / mu1 * (W2 / mu2) * (mu1 * mu2 / (W1 * W2)) ** 2 * sp.exp(2 * logit)
    ranges = (
        Variable(n, 1),
        *_above_zero(mu1, mu2),
        *_families(pairs),
        Family(v, 0, W1 * W2, index=pairs),
    )
    return Derivation(
        "E‖Z‖² of one pair of draws is at most μ_1·μ_2·Σ exp(2l), v the square of the norm of a "
        "product; from here on as in U2, with ‖V_1‖_F‖V_2‖_F for ‖V‖_F",
        Assumptions(ranges),
        sp.Sum(weight * v, pairs),
        (
            Step(LE, sp.Sum(weight * (W1 * W2), pairs), Termwise(Positivity()), "v <= w_1·w_2."),
            Step(EQ, mu1 * mu2 * sp.Sum(sp.exp(2 * logit), pairs), Algebra(), "Weights cancel."),
        ),
    )


_HALVES = st.integers(-2, 2).map(lambda k: Fraction(k, 2))


def _log_ratio(tokens: Sequence[Token], query: Sequence[Any], deltas: Sequence[Fraction]) -> arb:
    """The ln ϱ of these keys, at scale 1."""
    keys, _ = stack(tokens)
    largest = [max(abs(Fraction(x)) for row in rows for x in row) for rows in keys]
    radius = product_radius(largest[0], deltas[0], largest[1], deltas[1])
    return arb(log_ratio(1, norm(query), to_fmpq(radius)))


def _rows(tokens: Sequence[Token]) -> Rows:
    keys, values = stack(tokens)
    return list(zip(khatri_rao(*keys), khatri_rao(*values), strict=True))


def _masses(tokens: Sequence[Token]) -> Fraction:
    """μ_1·μ_2."""
    _, values = stack(tokens)
    first, second = (sum(map(square, rows), Fraction(0)) for rows in values)
    return first * second


def property_all_outcomes(data: st.DataObject, tally: Tally) -> None:
    """Over all coins of a small stream both estimates are right in the mean, variances bounded."""
    del tally
    d_k, d_v = data.draw(st.integers(1, 2), label="d"), data.draw(st.integers(1, 2), label="d_v")
    vectors = (st.tuples(*[_HALVES] * d_k), st.tuples(*[_HALVES] * d_v))
    token = st.builds(Token, *(st.tuples(vector, vector) for vector in vectors))
    most, t_, s_ = data.draw(st.sampled_from(((3, 1, 1), (2, 2, 1), (2, 1, 2))), label="n, t, s")
    tokens = data.draw(st.lists(token, min_size=1, max_size=most), label="tokens")
    deltas = data.draw(st.tuples(*[st.sampled_from((Fraction(1, 4), Fraction(3)))] * 2), label="δ")
    query = data.draw(vectors[0], label="q")
    options: dict[str, Any] = {"order": 2, "d": d_k, "d_v": d_v}
    options |= {"deltas": deltas, "t": t_, "s": s_}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen4Cache.from_state(state, seed=coins, **options)

    states = states_after(restored, SubGen4Cache(seed=0, **options).state(), tokens)
    require(sum(states.values()) == 1, "probabilities do not add up to 1")
    require_moments(
        [(chance, restored(state).estimates()) for state, chance in states.items()],
        _rows(tokens),
        query,
        log_ratio=_log_ratio(tokens, query, deltas),
        mass=_masses(tokens),
    )


def property_lopsided_clusters(data: st.DataObject, tally: Tally) -> None:
    """Adversarial: most of a cluster at one end, one key at the other, inside of δ₁ or outside."""
    del tally
    low, far = data.draw(st.integers(1, 4), label="low"), data.draw(st.integers(1, 9), label="far")
    query, deltas = (data.draw(st.integers(1, 4), label="q"),), (Fraction(3, 10), Fraction(1, 64))
    keys = [Fraction(0)] * low + [Fraction(far, 8)]
    tokens = [Token(((key,), (1,)), ((1,), (1,))) for key in keys]
    options: dict[str, Any] = {"order": 2, "d": 1, "d_v": 1, "deltas": deltas, "t": 1, "s": 1}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen4Cache.from_state(state, seed=coins, **options)

    states = states_after(restored, SubGen4Cache(seed=0, **options).state(), tokens)
    require_moments(
        [(chance, restored(state).estimates()) for state, chance in states.items()],
        _rows(tokens),
        query,
        log_ratio=_log_ratio(tokens, query, deltas),
        mass=_masses(tokens),
    )


_RADII = (Fraction(1, 16), Fraction(1, 16))


def _clustered(data: st.DataObject, tokens: int) -> list[Token]:
    """Draw tokens whose keys are, in each slot, within 1/32 of one of two."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="stream"))
    points = np.array([[(1, 0), (0, 1)], [(1, 1), (-1, 0)]])
    which, off = rng.integers(0, 2, (2, tokens)), rng.integers(-20, 21, (2, tokens, 2))
    keys = [(1024 * points[slot][which[slot]] + off[slot]).tolist() for slot in range(2)]
    values = rng.integers(-4, 5, (tokens, 2, 2)).tolist()
    return [
        Token(
            tuple(tuple(Fraction(x, 1024) for x in keys[slot][place]) for slot in range(2)),
            tuple(map(tuple, values[place])),
        )
        for place in range(tokens)
    ]


def property_guarantee(data: st.DataObject, tally: Tally) -> None:
    """Where keys cluster, with t and s for (ε, δ), it fails no more often than is plausible."""
    del tally
    tokens = _clustered(data, data.draw(st.integers(1, 8), label="n"))
    epsilon = data.draw(st.sampled_from((Fraction(1, 2), Fraction(1))), label="ε")
    query = data.draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), label="q")
    failure, runs = Fraction(1, 16), 16
    with arb_precision(64):
        _, logs = ball_ends(_log_ratio(tokens, query, _RADII))
    t_, s_ = subgen_samples(epsilon, failure, logs)
    is_outside, failures = outside(_rows(tokens), query, epsilon**2 * _masses(tokens)), 0
    for seed in range(runs):
        cache = SubGen4Cache(order=2, d=2, d_v=2, seed=seed, deltas=_RADII, t=t_, s=s_)
        for token in tokens:
            cache.append(token.keys, token.values)
        require(max(len(c.centres) for c in cache.clusters) <= 2, "more clusters than there are")
        failures += is_outside(cache.answer(query))
    require(not implausible(failures, runs, failure), f"{failures} failures in {runs}")


def property_fails_under_the_floor(data: st.DataObject, tally: Tally) -> None:
    """With a state 32 bits under the floor a random instance has a query answered wrongly (T6)."""
    del tally
    family = BinaryValues(binary_keys(64), 32, order=2)
    factory = configure(SubGen4Cache, deltas=(99, 99), t=1, s=1, dtype="float8_e4m3fn")
    x = next(random_inputs(family.size, data.draw(st.integers(0, 10**6), label="seed")))
    state = message(factory, family, x)
    most = state.bits + 128  # one cluster a slot for every instance; only the sizes of μ vary
    other = message(factory, family, data.draw(drawn_bits(family.size), label="other instance"))
    require(other.bits <= most, "more states occur than are counted")
    chance = all_correct_probability(family.size, states_up_to(most))
    require(chance <= Fraction(1, 2**32), "the state is not far enough under the floor")
    rows = (output_row(factory, family, state, a) == family.row(x, a) for a in range(family.n))
    require(not all(rows), f"all is answered right, with a chance of {chance}")


CLAIM = Claim(
    slug="subgen-four-cache",
    title="SubGen on each slot is unbiased; its variance is a quarter of what was claimed at most",
    statement="""\
Order 2. Slot r has clusters of its keys, within δ_r of their centres, and s draws of pairs (k, v);
both as in [`subgen`](subgen.md). The answer is z'/τ' with

    τ' = (1/t) Σ_i Σ_(A,B) c_A·c_B·exp(σ⟨q, k_(A,i)∘k_(B,i)⟩)
    z' = Σ_i μ_1·μ_2/(s‖v¹_i‖²‖v²_i‖²)·exp(σ⟨q, k¹_i∘k²_i⟩)·v¹_i∘v²_i

* Both are unbiased.
* With entries of keys of at most R_r, ‖q‖₂ <= r and `ϱ = exp(2σr(R₂δ₁ + R₁δ₂))`:
  `Var τ' <= τ²(ϱ-1)²/(4ϱt)`. (That one term of the mean over i lies in [τ/ϱ, ϱτ] gives four times
  as much; but it lies in an interval whose ends are in the ratio ϱ, not ϱ².)
* `E‖z' - z‖² <= (μ_1·μ_2/s)·Σ exp(2s_jl)`.
* So with t and s as in `subgen` the answer is within `ε·‖p‖₂·‖V_1‖_F‖V_2‖_F` of the output with
  probability at least 1 - δ, for each query. That is more than `subgen-two-cache` promises, which
  has ‖V_1⊘V_2‖_F.

The state is `w·Σ_r(k_r(1+t)d + s(d+d_v))` bits with k_r clusters and numbers of w bits, 64(k_r+1)
more a slot, and μ_r exactly. Under the floor a random instance shows a wrong answer (T6).
The cache in code is this for any order.""",
    source="TMT (SubGen4Cache); U4",
    assumptions=(
        "coins are independent of the stream and of each other",
        "keys and values are numbers of the format that is kept",
        "members, not only centres, have entries of at most R_r",
        "variances of independent variables add up; Cauchy-Schwarz for |⟨q, x⟩|",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_all_outcomes,
        property_lopsided_clusters,
        property_guarantee,
        property_fails_under_the_floor,
    ),
)

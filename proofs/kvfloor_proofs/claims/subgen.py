"""U2 `subgen`: samples of clusters and of values, unbiased, and what they promise."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from kvfloor.caches import SURELY, Coins, SubGen, SubGen4Cache, configure
from kvfloor.collisions import random_inputs
from kvfloor.families import BinaryValues, Token, binary_keys
from kvfloor.floors import (
    all_correct_probability,
    covering_number,
    greedy_net,
    log_ratio,
    states_up_to,
    subgen_samples,
)
from kvfloor.index import message, output_row
from kvfloor.numbers import Vector, arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import (
    Assumptions,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations import estimators
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import drawn_bits
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

__all__ = ["CLAIM", "D1", "D2", "delta", "derivations", "members", "r", "sigma"]

sigma, r, delta, D1, D2 = sp.symbols("sigma r delta_c D_1 D_2", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        *estimators.samples(),
        members(),
        *estimators.normaliser(),
        *estimators.numerator(),
        *estimators.guarantee(),
    )


def members() -> Derivation:
    """Bound how far logits in one cluster differ."""
    return Derivation(
        "Members of a cluster are within D_1 and D_2 <= δ of its centre; so their logits differ by "
        "2σrδ at most",
        Assumptions(
            (
                *(Variable(symbol, 0) for symbol in (sigma, r, delta)),
                Variable(D1, 0, delta),
                Variable(D2, 0, delta),
            )
        ),
        sigma * r * (D1 + D2),
        (Step(Relation.LE, 2 * sigma * r * delta, Positivity(), "Both are at most δ."),),
    )


_QUARTERS = st.integers(-4, 4).map(lambda k: Fraction(k, 4))


def _vectors(width: int) -> st.SearchStrategy[Vector]:
    return st.tuples(*[_QUARTERS] * width)


def property_all_outcomes(data: st.DataObject, tally: Tally) -> None:
    """Over all coins of a small stream both estimates are right in the mean, variances bounded."""
    del tally
    d, d_v = data.draw(st.integers(1, 2), label="d"), data.draw(st.integers(1, 2), label="d_v")
    token = st.builds(Token, st.tuples(_vectors(d)), st.tuples(_vectors(d_v)))
    tokens = data.draw(st.lists(token, min_size=1, max_size=4), label="tokens")
    t, s = data.draw(st.sampled_from(((1, 1), (2, 1), (1, 2))), label="t, s")
    delta = data.draw(st.sampled_from((Fraction(1, 8), Fraction(1, 2), Fraction(4))), label="δ")
    query = data.draw(_vectors(d), label="q")
    options: dict[str, Any] = {"order": 1, "d": d, "d_v": d_v, "delta": delta, "t": t, "s": s}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen.from_state(state, seed=coins, **options)

    empty = SubGen(seed=0, **options).state()
    states = states_after(restored, empty, tokens)
    require(sum(states.values()) == 1, "probabilities do not add up to 1")
    require_moments(
        [(chance, restored(state).estimates()) for state, chance in states.items()],
        _rows(tokens),
        query,
        log_ratio=log_ratio(1, norm(query), to_fmpq(delta)),
        mass=_mass(tokens),
    )


def property_lopsided_clusters(data: st.DataObject, tally: Tally) -> None:
    """Adversarial: most of a cluster at one end, one key at the other, inside of δ or outside."""
    del tally
    low, far = data.draw(st.integers(1, 5), label="low"), data.draw(st.integers(1, 9), label="far")
    query, delta = (data.draw(st.integers(1, 4), label="q"),), Fraction(3, 10)
    tokens = [Token(((0,),), ((1,),))] * low + [Token(((Fraction(far, 8),),), ((1,),))]
    options: dict[str, Any] = {"order": 1, "d": 1, "d_v": 1, "delta": delta, "t": 1, "s": 1}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen.from_state(state, seed=coins, **options)

    states = states_after(restored, SubGen(seed=0, **options).state(), tokens)
    require_moments(
        [(chance, restored(state).estimates()) for state, chance in states.items()],
        _rows(tokens),
        query,
        log_ratio=log_ratio(1, norm(query), to_fmpq(delta)),
        mass=_mass(tokens),
    )


def _rows(tokens: Sequence[Token]) -> Rows:
    return [(token.keys[0], token.values[0]) for token in tokens]


def _mass(tokens: Sequence[Token]) -> Fraction:
    """μ = ‖V‖_F²."""
    return sum((square(token.values[0]) for token in tokens), Fraction(0))


def _clustered(data: st.DataObject, tokens: int) -> list[Token]:
    """Draw tokens with different keys, each within 1/12 of one of three points far apart."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="stream"))
    points = np.array([(0, 0), (1, 2), (-2, 1)])[rng.integers(0, 3, tokens)]
    off = np.stack([rng.permutation(121)[:tokens] - 60, rng.integers(-60, 61, tokens)], axis=1)
    keys, values = (1024 * points + off).tolist(), rng.integers(-8, 9, (tokens, 2)).tolist()
    return [
        Token((tuple(Fraction(x, 1024) for x in key),), (tuple(value),))
        for key, value in zip(keys, values, strict=True)
    ]


_RADIUS = Fraction(3, 16)  # 2·√2·60/1024 is less


def _fed(tokens: Sequence[Token], **options: Any) -> SubGen:
    cache = SubGen(order=1, d=2, d_v=2, delta=_RADIUS, **options)
    for token in tokens:
        cache.append(token.keys, token.values)
    return cache


def property_frequencies(data: st.DataObject, tally: Tally) -> None:
    """In a longer stream no token is drawn so often, or so rarely, that it is implausible."""
    del tally
    tokens, flips = _clustered(data, 24), 200
    cache = _fed(tokens, seed=data.draw(st.integers(0, 2**32), label="seed"), t=flips, s=flips)
    (clusters,), (reservoir,) = cache.clusters, cache.reservoirs
    mass = _mass(tokens)
    for token in tokens:
        key = np.array(token.keys[0], dtype=np.float64)
        place = int(np.argmin(((clusters.centres - key) ** 2).sum(axis=1)))
        drawn = int((clusters.samples[place] == key).all(axis=1).sum())
        _require_plausible(drawn, flips, Fraction(1, int(clusters.counts[place])))
        held = int((reservoir.keys == key).all(axis=1).sum())
        _require_plausible(held, flips, square(token.values[0]) / mass)


def _require_plausible(heads: int, flips: int, chance: Fraction) -> None:
    often, rarely = ((heads, chance), (flips - heads, 1 - chance))
    for times, most in (often, rarely):
        require(not implausible(times, flips, most), f"{heads} of {flips} with {chance}")


def property_guarantee(data: st.DataObject, tally: Tally) -> None:
    """Where keys cluster, with t and s for (ε, δ), it fails no more often than is plausible."""
    del tally
    tokens = _clustered(data, data.draw(st.integers(1, 8), label="n"))
    epsilon = data.draw(st.sampled_from((Fraction(1, 2), Fraction(1))), label="ε")
    query = data.draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), label="q")
    failure, runs = Fraction(1, 16), 16
    with arb_precision(64):
        _, spread = ball_ends(log_ratio(1, norm(query), to_fmpq(_RADIUS)))
    t, s = subgen_samples(epsilon, failure, spread)
    is_outside = outside(_rows(tokens), query, epsilon**2 * _mass(tokens))
    answers = (_fed(tokens, seed=seed, t=t, s=s).answer(query) for seed in range(runs))
    failures = sum(map(is_outside, answers))
    require(not implausible(failures, runs, failure), f"{failures} failures in {runs}")


def property_orthonormal(data: st.DataObject, tally: Tally) -> None:
    """For n orthonormal values of equal weight the mean square error of z' is n(n-1)/s exactly."""
    del tally
    n, s = data.draw(st.sampled_from(((1, 3), (2, 2), (3, 1), (3, 2), (4, 1))), label="n, s")
    signs = data.draw(st.tuples(*[st.sampled_from((-1, 1))] * n), label="signs")
    values = [tuple(sign * int(j == k) for j in range(n)) for k, sign in enumerate(signs)]
    tokens = [Token(((0,),), (value,)) for value in values]
    options: dict[str, Any] = {"order": 1, "d": 1, "d_v": n, "delta": 1, "t": 1, "s": s}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen.from_state(state, seed=coins, **options)

    square_error = Fraction(0)
    for state, chance in states_after(restored, SubGen(seed=0, **options).state(), tokens).items():
        drawn = restored(state).estimates()
        z = [
            sum(w * Fraction(v[c]) for w, v in zip(drawn.weights, drawn.values, strict=True))
            for c in range(n)
        ]
        square_error += chance * square(x - sign for x, sign in zip(z, signs, strict=True))
    require(square_error == Fraction(n * (n - 1), s), f"{square_error}")


def property_sublinear(data: st.DataObject, tally: Tally) -> None:
    """A clusterable stream: its bits stay below those of the tokens kept in the same format."""
    del tally
    tokens = 2 * _clustered(data, 60)
    t, s = subgen_samples(Fraction(1), Fraction(1, 4), Fraction(1, 2))
    cache = _fed(tokens, seed=0, t=t, s=s)
    require(len(cache.clusters[0].centres) == 3, "more clusters than there are")
    require(8 * len(cache.state()) < 32 * 4 * len(tokens), "no smaller than all tokens")


def property_covering(data: st.DataObject, tally: Tally) -> None:
    """Its centres are those of a greedy net, and no more than the covering number."""
    del tally
    d, R = data.draw(st.integers(1, 3), label="d"), 2
    entry = st.integers(-8, 8).map(lambda k: Fraction(k, 4))
    inside = st.tuples(*[entry] * d).filter(lambda p: square(p) <= R**2)
    points = data.draw(st.lists(inside, min_size=1, max_size=24), label="keys")
    delta = Fraction(data.draw(st.sampled_from((1, 3, 5, 9, 11, 16)), label="7δ"), 7)
    cache = SubGen(order=1, d=d, d_v=1, seed=0, delta=delta, t=1, s=1)
    for point in points:
        cache.append([point], [[1]])
    centres = cache.clusters[0].centres
    net = [list(map(float, points[index])) for index in greedy_net(points, delta).centres]
    require(centres.tolist() == net, "other centres than the greedy net's")
    most = covering_number(Fraction(R), delta * Fraction(SURELY), d)
    require(len(centres) <= most, "more clusters than the covering number")


def property_fails_under_the_floor(data: st.DataObject, tally: Tally) -> None:
    """With a state 32 bits under the floor a random instance has a query answered wrongly (T6)."""
    del tally
    family = BinaryValues(binary_keys(64), 16, order=1)
    options = {"t": 1, "s": data.draw(st.integers(1, 3), label="s"), "dtype": "float8_e4m3fn"}
    factory = configure(SubGen, delta=99, **options)
    seed = data.draw(st.integers(0, 10**6), label="seed")
    x = next(random_inputs(family.size, seed))
    state = message(factory, family, x, seed=0)
    most = state.bits + 64  # one cluster for every instance; only the size of μ varies
    other = message(factory, family, data.draw(drawn_bits(family.size), label="other instance"))
    require(other.bits <= most, "more states occur than are counted")
    chance = all_correct_probability(family.size, states_up_to(most))
    require(chance <= Fraction(1, 2**32), "the state is not far enough under the floor")
    rows = (output_row(factory, family, state, a) == family.row(x, a) for a in range(family.n))
    require(not all(rows), f"all is answered right, with a chance of {chance}")


CLAIM = Claim(
    slug="subgen",
    title="SubGen is unbiased, and within ε·‖p‖₂‖V‖_F with explicit numbers of samples",
    statement="""\
Order 1. Keys are put in clusters: a key within δ_c of the nearest centre joins it, another opens a
centre. Each cluster keeps its count c and t uniform members; s draws are tokens with probability
‖v‖²/μ, μ = Σ‖v‖². The answer is z'/τ' with

    τ' = Σ_clusters (c/t) Σ_i exp(σ⟨q, k_i⟩),    z' = Σ_draws μ/(s‖v‖²)·exp(σ⟨q, k⟩)·v

* Both are unbiased.
* If ‖q‖₂ <= r then `Var τ' <= τ²(ϱ-1)²/(4ϱt)` with `ϱ = exp(2σrδ_c)`.
* `E‖z' - z‖² <= (μ/s)·Σ exp(2s_j)`.
* So with `t >= (ϱ-1)²(2+ε)²/(2ϱε²δ)` and `s >= 2(2+ε)²/(ε²δ)` the answer is within
  `ε·‖p‖₂·‖V‖_F` of the output (in the Euclidean norm; p are the weights) with probability at least
  1 - δ, for each query.

SG24 has ‖V‖_op with s = O(d/ε²). That follows, with ε/√d_v for ε, as ‖V‖_F <= √d_v·‖V‖_op; and
in mean square z' takes (d_v - 1)/ε² draws: for n = d_v orthonormal values of equal weight
`E‖z' - z‖² = n(n-1)/s` exactly, beside `ε²·τ²‖p‖₂²‖V‖_op² = ε²·n`. The state is counted:
`w·(k(1+t)d + s(d+d_v)) + 64(k+1)` bits with k clusters and numbers of w bits, and μ exactly. k is
at most the covering number of U1, and on keys that do not cluster it is n. The promise is not
(η, α)-accuracy: with a state under the floor of T1 a random instance shows a wrong answer (T6).""",
    source="SG24; U2",
    assumptions=(
        "coins are independent of the stream and of each other",
        "keys and values are numbers of the format that is kept",
        "variances of independent variables add up; Cauchy-Schwarz for |⟨q, k - k'⟩|",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_all_outcomes,
        property_lopsided_clusters,
        property_frequencies,
        property_guarantee,
        property_orthonormal,
        property_sublinear,
        property_covering,
        property_fails_under_the_floor,
    ),
)

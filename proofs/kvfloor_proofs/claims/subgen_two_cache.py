"""U3 `subgen-two-cache`: SubGen on products, and what it has to keep besides."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import khatri_rao
from kvfloor.caches import Coins, ExactCache, SubGen2Cache, new_tuples, record
from kvfloor.families import Token, stack
from kvfloor.floors import log_ratio, subgen_samples
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Induction,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims.covering_number import radii
from kvfloor_proofs.claims.subgen import delta, r, sigma
from kvfloor_proofs.claims.subgen_four_cache import reach, spread
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.estimators import i, n
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

__all__ = ["CLAIM", "derivations"]

EQ, LE = Relation.EQ, Relation.LE


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_rows_of_all_tokens(), _clusters())


def _rows_of_all_tokens() -> Derivation:
    return Derivation(
        "Token i brings 2i - 1 rows: products with itself, and both ways with those before",
        Assumptions((Variable(n, 1),)),
        sp.Sum(2 * i - 1, (i, 1, n)),
        (Step(EQ, n**2, Induction(n, Algebra()), "By induction: n² of them so far."),),
    )


def _clusters() -> Derivation:
    ranges = (
        *(Variable(symbol, 0) for symbol in (sigma, r, *radii)),
        Variable(delta, 0, reach),
    )
    return Derivation(
        "Keys that cluster make products that do: with δ up to R₂δ₁ + R₁δ₂ the logits in a "
        "cluster differ by 2σr(R₂δ₁ + R₁δ₂) at most",
        Assumptions(ranges),
        2 * sigma * r * delta,
        (Step(LE, spread, Positivity(), "U1, for both of two members."),),
    )


_HALVES = st.integers(-2, 2).map(lambda k: Fraction(k, 2))


def _rows(tokens: list[Token]) -> Rows:
    keys, values = stack(tokens)
    return list(zip(khatri_rao(*keys), khatri_rao(*values), strict=True))


def _mass(tokens: list[Token]) -> Fraction:
    """‖V_1 ⊘ V_2‖_F²."""
    return sum((square(value) for _, value in _rows(tokens)), Fraction(0))


def property_all_outcomes(data: st.DataObject, tally: Tally) -> None:
    """Over all coins of two tokens, which make four rows, it is U2."""
    del tally
    vector = st.tuples(_HALVES, _HALVES)
    token = st.builds(Token, st.tuples(vector, vector), st.tuples(vector, vector))
    tokens = data.draw(st.lists(token, min_size=1, max_size=2), label="tokens")
    radius = data.draw(st.sampled_from((Fraction(1, 4), Fraction(1), Fraction(9))), label="δ")
    query = data.draw(vector, label="q")
    options: dict[str, Any] = {"order": 2, "d": 2, "d_v": 2, "delta": radius, "t": 1, "s": 1}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen2Cache:
        return SubGen2Cache.from_state(state, seed=coins, **options)

    states = states_after(restored, SubGen2Cache(seed=0, **options).state(), tokens)
    require(sum(states.values()) == 1, "probabilities do not add up to 1")
    require_moments(
        [(chance, restored(state).rows.estimates()) for state, chance in states.items()],
        _rows(tokens),
        query,
        log_ratio=log_ratio(1, norm(query), to_fmpq(radius)),
        mass=_mass(tokens),
    )


def property_rows(data: st.DataObject, tally: Tally) -> None:
    """For every order the rows that tokens bring are those of the product, each once."""
    del tally
    order, tokens = data.draw(st.integers(1, 4), label="m"), data.draw(st.integers(1, 6), label="n")
    brought = [row for k in range(1, tokens + 1) for row in new_tuples(k, order)]
    require(sorted(brought) == sorted(np.ndindex(*[tokens] * order)), "other rows")
    last = sum(1 for _ in new_tuples(tokens, order))
    require(last == tokens**order - (tokens - 1) ** order, "not as many as stated")


def property_guarantee(data: st.DataObject, tally: Tally) -> None:
    """Where keys cluster, with t and s for (ε, δ), it fails no more often than is plausible."""
    del tally
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="stream"))
    keys = rng.integers(-20, 21, (3, 2, 2)) + 1024 * rng.integers(0, 2, (3, 2, 1))
    tokens = [
        Token(
            tuple(tuple(Fraction(x, 1024) for x in row) for row in rows.tolist()),
            tuple(map(tuple, rng.integers(-4, 5, (2, 2)).tolist())),
        )
        for rows in keys
    ]
    epsilon = data.draw(st.sampled_from((Fraction(1, 2), Fraction(1))), label="ε")
    query = data.draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), label="q")
    radius, failure, runs = Fraction(1, 8), Fraction(1, 16), 16
    with arb_precision(64):
        _, logs = ball_ends(log_ratio(1, norm(query), to_fmpq(radius)))
    t_, s_ = subgen_samples(epsilon, failure, logs)
    is_outside, failures = outside(_rows(tokens), query, epsilon**2 * _mass(tokens)), 0
    for seed in range(runs):
        cache = SubGen2Cache(order=2, d=2, d_v=2, seed=seed, delta=radius, t=t_, s=s_)
        for token in tokens:
            cache.append(token.keys, token.values)
        require(len(cache.rows.clusters[0].centres) <= 4, "more clusters than pairs of clusters")
        failures += is_outside(cache.answer(query))
    require(not implausible(failures, runs, failure), f"{failures} failures in {runs}")


def property_factors_are_needed(data: st.DataObject, tally: Tally) -> None:
    """Two streams with one state of rows, whose next token brings different rows."""
    del tally
    factor = data.draw(st.sampled_from((2, 4, 8, -2, -4)), label="factor")
    one = data.draw(st.integers(1, 9), label="key")
    two = one + data.draw(st.integers(1, 9), label="more")
    first = [Token(((one,), (factor * two,)), ((1,), (1,)))]
    second = [Token(((factor * one,), (two,)), ((1,), (1,)))]
    more = Token(((1,), (1,)), ((1,), (1,)))
    fed = []
    for tokens in (first, second):
        cache = SubGen2Cache(order=2, d=1, d_v=1, seed=0, delta=Fraction(1, 8), t=1, s=1)
        cache.append(tokens[0].keys, tokens[0].values)
        fed.append(cache)
    require(fed[0].rows.state() == fed[1].rows.state(), "the rows differ already")
    require(set(_rows([*first, more])) != set(_rows([*second, more])), "the next rows are the same")
    require(fed[0].state() != fed[1].state(), "the state does not tell the streams apart")


def property_no_smaller_than_all_tokens(data: st.DataObject, tally: Tally) -> None:
    """Its state has at least the bits of the 2m-cache in the same format."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    keys = data.draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4), label="keys")
    stream = [Token(((key,),) * order, ((1,),) * order) for key in keys]
    exact = record(ExactCache, stream, d=1, d_v=1)
    cache = SubGen2Cache(order=order, d=1, d_v=1, seed=0, delta=99, t=1, s=1, dtype="float64")
    for token in stream:
        cache.append(token.keys, token.values)
    require(8 * len(cache.state()) > exact.bits, "fewer bits than all tokens")


CLAIM = Claim(
    slug="subgen-two-cache",
    title="SubGen on products is SubGen, but it needs all factors to go on",
    statement="""\
Order 2. Token i brings the 2i - 1 rows of K_1⊘K_2 and V_1⊘V_2 that it is part of, n² in all.
[`subgen`](subgen.md) on these rows is unbiased, has the same bounds with ‖V_1⊘V_2‖_F for ‖V‖_F and,
if keys of slot r cluster within δ_r of m_r centres, clusters of radius `R₂δ₁ + R₁δ₂`, of which
m₁·m₂ are enough.

*Holds in the model in which rows are brought from outside.* A cache that is given tokens has to
make the rows k¹_j∘k²_i itself, from all keys before: two streams with the same rows so far may
have different ones next. With these factors in its state it keeps `w·m·n·(d + d_v)` bits more, no
fewer than the 2m-cache, and so saves nothing.""",
    source="TMT (SubGen2Cache); U3",
    assumptions=(
        "rows are numbers of the format that is kept",
        "for the promise: as in subgen",
        "for the size: the next token's rows are to be those of the stream",
    ),
    verdict="holds in model M",
    derivations=derivations,
    properties=(
        property_all_outcomes,
        property_rows,
        property_guarantee,
        property_factors_are_needed,
        property_no_smaller_than_all_tokens,
    ),
)

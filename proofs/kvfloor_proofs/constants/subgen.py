"""U2 `subgen`: how far logits differ in a cluster, variances, and numbers of samples."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, comb
from typing import Any

from flint import arb
from hypothesis import strategies as st

from kvfloor.caches import Coins, SubGen, SubGen4Cache
from kvfloor.families import Token
from kvfloor.floors import log_ratio, relative_variance, samples, slack, subgen_samples
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.subgen import delta, derivations, r, sigma
from kvfloor_proofs.foundations import estimators as e
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.outcomes import Rows, square, states_after
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["clustered", "constants", "slot_bits"]

LE = Relation.LE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, _, members, *normaliser, _, _, _, _, _, _, combined, _, fails = derivations()
    *_, square, mean = normaliser
    return (
        Constant(log_ratio, (concluded(members, LE, lambda: log_ratio(sigma, r, delta)),)),
        Constant(
            relative_variance,
            (
                concluded(square, LE, lambda: e.tau**2 * relative_variance(e.ratio)),
                concluded(mean, LE, lambda: e.tau**2 * relative_variance(e.ratio) / e.t),
                both_sides("over all coins not exceeded, and met up to a tenth", property_lopsided),
            ),
            slack="13 keys in a cluster, 9 at one edge and 3 at the other, have 0.9 of it at ϱ = e",
        ),
        Constant(
            slack,
            (
                assumed(combined, e.g, "high", lambda: slack(e.eps) * e.tau, strict=False),
                assumed(combined, e.D, "high", lambda: slack(e.eps) * e.tau * e.A, strict=False),
                assumed(combined, e.est, "low", lambda: (1 - slack(e.eps)) * e.tau, strict=False),
            ),
        ),
        Constant(
            samples,
            (
                both_sides("the slack is exceeded with δ/2 or less", property_orthonormal),
                assumed(fails, e.t, "low", lambda: samples(e.eps, e.failure, e.X), strict=False),
                assumed(fails, e.s, "low", lambda: samples(e.eps, e.failure), strict=False),
            ),
            slack="by Markov's bound: for two orthonormal values, ε = 1 and δ = 1/2, the part of z "
            "is exceeded with a fortieth of δ/2 at most",
        ),
        Constant(
            subgen_samples,
            (both_sides("enough of both, one sample less is not", property_samples),),
        ),
        Constant(
            SubGen,
            (both_sides("w(k(1+t)d + s(d+d_v)) + 64(k+1) bits, and μ exactly", property_state),),
        ),
    )


def property_lopsided(data: st.DataObject, tally: Tally) -> None:
    """Keys at both edges of a cluster: over all coins the variance of τ' is within its bound."""
    del tally
    low, high = data.draw(st.sampled_from(((9, 3), (1, 1), (2, 5), (4, 0))), label="keys at edges")
    half, radius = Fraction(1, 2), Fraction(1, 2) + Fraction(1, 2**30)
    keys = [Fraction(0)] + [-half] * low + [half] * high
    stream = [Token(((key,),), ((1,),)) for key in keys]
    options: dict[str, Any] = {"order": 1, "d": 1, "d_v": 1, "delta": radius, "t": 1, "s": 1}

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen.from_state(state, seed=coins, **options)

    first = second = arb(0)
    with arb_precision(192):
        states = states_after(restored, SubGen(seed=0, **options).state(), stream)
        for state, chance in states.items():
            found = restored(state).estimates()
            require(found.counts.tolist() == [len(keys)], "not one cluster")
            value = len(keys) * arb(to_fmpq(Fraction(found.samples[0, 0, 0]))).exp()
            first += to_fmpq(chance) * value
            second += to_fmpq(chance) * value**2
        relative = second / first**2 - 1
        bound = relative_variance(log_ratio(1, 1, to_fmpq(radius) * arb(1)).exp())
        require(not relative > bound, "the normaliser varies too much")
        tenth = (low, high) != (9, 3) or bool(relative > to_fmpq(Fraction(9, 10)) * bound)
        require(tenth, "the bound is not near")


def property_orthonormal(data: st.DataObject, tally: Tally) -> None:
    """Two orthonormal values of equal weight: the chance, exactly, that z is off by more."""
    del tally
    pairs = [(Fraction(e, 2), Fraction(f, 4)) for e, f in ((2, 2), (1, 1), (2, 4), (6, 3), (8, 1))]
    epsilon, failure = data.draw(st.sampled_from(pairs), label="ε, δ")
    s = ceil(samples(epsilon, failure))
    # z' = 2(h, s-h)/s for h heads, z = (1, 1): off by √2·|2h/s - 1|, allowed slack·τ·‖p‖₂‖V‖_F.
    allowed = (slack(epsilon) * 2) ** 2
    off = [h for h in range(s + 1) if 2 * (Fraction(2 * h, s) - 1) ** 2 > allowed]
    chance = Fraction(sum(comb(s, h) for h in off), 2**s)
    require(chance <= failure / 2, "off by more too often")
    named = (epsilon, failure) == pairs[0]
    require(not named or chance <= failure / 2 / 40, "not within the slack")


def property_samples(data: st.DataObject, tally: Tally) -> None:
    """Both numbers are at least what the derivation assumes, and one less is not."""
    del tally
    epsilon = data.draw(st.fractions(Fraction(1, 16), 8, max_denominator=16), label="ε")
    failure = data.draw(st.fractions(Fraction(1, 64), 1, max_denominator=64), label="δ")
    spread = data.draw(st.fractions(0, 6, max_denominator=16), label="ln ϱ")
    t, s = subgen_samples(epsilon, failure, spread)
    least = samples(epsilon, failure)
    require(s >= least > s - 1, "not the least number of draws")
    with arb_precision(256):
        variance = relative_variance(arb(to_fmpq(spread)).exp())
        needed = samples(to_fmpq(epsilon), to_fmpq(failure), variance)
        require(t >= 1 and not t < needed, "too few samples of a cluster")
        require(t == 1 or bool(t - 1 < needed), "one sample less is enough")
    require(subgen_samples(epsilon, 1, 0) == (1, ceil(samples(epsilon, 1))), "for δ = ϱ = 1")
    tiny = Fraction(1, 2**40)
    for bad in ((0, failure, spread), (epsilon, 0, spread), (epsilon, 1 + tiny, spread)):
        require(refuses(subgen_samples, *bad), f"{bad} is taken")
    require(refuses(subgen_samples, epsilon, failure, -tiny), "a spread below 0 is taken")


def clustered(data: st.DataObject, order: int) -> list[Token]:
    """Draw tokens of d = 2 and d_v = 1 whose keys are whole: different ones are 1 apart or more."""
    key, value = st.tuples(*[st.integers(0, 1)] * 2), st.tuples(st.integers(-3, 3))
    slots = [st.tuples(*[part] * order) for part in (key, value)]
    return data.draw(st.lists(st.builds(Token, *slots), min_size=1, max_size=6), label="tokens")


def slot_bits(rows: Rows, *, t: int, s: int, width: int) -> int:
    """Bits of a slot of SubGen for rows of whole keys, clusters of radius below 1."""
    d, d_v = len(rows[0][0]), len(rows[0][1])
    clusters, mass = len({key for key, _ in rows}), sum(square(value) for _, value in rows)
    draws = s if mass else 0
    numbers = clusters * (1 + t) * d + draws * (d + d_v)
    odd = int(mass)
    while odd and odd % 2 == 0:
        odd //= 2
    return width * numbers + 64 * (clusters + 1) + 128 + 8 * -(-odd.bit_length() // 8)


def property_state(data: st.DataObject, tally: Tally) -> None:
    """The bits of a state, counted; μ is exponent and size in 64 bits each, and its odd part."""
    del tally
    stream = clustered(data, 1)
    t, s = data.draw(st.integers(1, 3), label="t"), data.draw(st.integers(1, 3), label="s")
    dtype, width = data.draw(st.sampled_from((("float16", 16), ("float32", 32))), label="format")
    options: dict[str, Any] = {"d": 2, "d_v": 1, "delta": Fraction(1, 2), "t": t, "s": s}
    cache = SubGen(order=1, seed=0, dtype=dtype, **options)
    for token in stream:
        cache.append(token.keys, token.values)
    rows = [(token.keys[0], token.values[0]) for token in stream]
    bits = slot_bits(rows, t=t, s=s, width=width)
    require(8 * len(cache.state()) == bits, "another number of bits")

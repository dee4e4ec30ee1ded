"""SubGen piece by piece: clusters, reservoir, estimates, samples that are enough (U2-U4)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb, exp
from sys import float_info
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError, Token
from kvfloor.caches import Coins, Estimates, SubGen, SubGen2Cache, SubGen4Cache
from kvfloor.caches.clusters import Clusters
from kvfloor.caches.coins import PublicCoins
from kvfloor.caches.estimates import estimates
from kvfloor.caches.reservoir import Reservoir, squared_norm
from kvfloor.floors import log_ratio, relative_variance, samples, slack, subgen_samples
from kvfloor.numbers import as_format
from kvfloor_proofs.foundations.outcomes import implausible, outcomes, require_moments, states_after

F32 = as_format("float32")
ONE: dict[str, Any] = {"order": 1, "d": 1, "d_v": 1, "delta": Fraction(1, 2)}


def token(key: int, value: int) -> Token:
    return Token(((key,),), ((value,),))


def exact_states(tokens: Sequence[Token], **options: Any) -> list[tuple[Fraction, SubGen4Cache]]:
    """Every cache that the tokens can lead to, with its probability."""
    arguments = ONE | options

    def restored(state: bytes, coins: Coins | int = 0) -> SubGen4Cache:
        return SubGen.from_state(state, seed=coins, **arguments)

    states = states_after(restored, SubGen(seed=0, **arguments).state(), tokens)
    return [(chance, restored(state)) for state, chance in states.items()]


# --- clusters ------------------------------------------------------------------------------


def clusters(keys: Sequence[Sequence[float]], delta: Fraction, t: int = 1) -> Clusters:
    made = Clusters(len(keys[0]), delta, t, F32)
    for place, key in enumerate(keys):
        made.append(np.array(key), PublicCoins(0), (place,))
    return made


def test_a_key_joins_the_nearest_centre_within_delta() -> None:
    made = clusters([[0], [4], [1.75], [3], [-1], [6.5]], Fraction(2))
    assert made.centres.tolist() == [[0], [4], [6.5]]
    assert made.counts.tolist() == [3, 2, 1]
    assert made.members == 6


def test_a_key_at_delta_opens_a_centre_and_one_just_within_does_not() -> None:
    """Float64 cannot tell distances within 2^-40 of δ, so these open a centre."""
    delta = Fraction(1)
    assert len(clusters([[0], [1]], delta).centres) == 2
    assert len(clusters([[0], [1 - 2.0**-24]], delta).centres) == 1
    assert len(clusters([[0, 0], [0.75, 0.75]], delta).centres) == 2


def test_far_keys_overflow_to_far() -> None:
    made = Clusters(1, Fraction(1), 1, as_format("float64"))
    for place, key in enumerate((-1e308, 1e308, 1e200)):
        made.append(np.array([key]), PublicCoins(0), (place,))
    assert len(made.centres) == 3


@pytest.mark.parametrize("members", [1, 2, 3, 4])
def test_every_member_is_a_sample_with_the_same_probability(members: int) -> None:
    """Exactly, over all coins; and two samples are independent."""
    tokens = [Token(((Fraction(k, 16),),), ((0,),)) for k in range(members)]
    pairs: dict[tuple[float, ...], Fraction] = {}
    for chance, cache in exact_states(tokens, t=2, s=1):
        (drawn,) = cache.clusters[0].samples
        pairs[tuple(drawn.ravel())] = pairs.get(tuple(drawn.ravel()), Fraction(0)) + chance
    assert len(pairs) == members**2
    assert set(pairs.values()) == {Fraction(1, members**2)}


# --- the reservoir -------------------------------------------------------------------------


def test_draws_are_tokens_with_probability_as_the_squares_of_their_values() -> None:
    values = [0, 1, 0, -2, 3]
    tokens = [token(3 * k, v) for k, v in enumerate(values)]
    held: dict[tuple[float, ...], Fraction] = {}
    for chance, cache in exact_states(tokens, t=1, s=2):
        (reservoir,) = cache.reservoirs
        assert reservoir.mass == 14
        draws = tuple(reservoir.keys.ravel() / 3)
        held[draws] = held.get(draws, Fraction(0)) + chance
        assert [values[int(k)] for k in draws] == reservoir.values.ravel().tolist()
    expected = {
        (float(i), float(j)): Fraction(v**2 * w**2, 14**2)
        for i, v in enumerate(values)
        for j, w in enumerate(values)
        if v and w
    }
    assert held == expected


def test_values_of_zero_are_not_drawn() -> None:
    reservoir = Reservoir(1, 2, 3, F32)
    reservoir.append(np.array([1.0]), np.zeros(2), PublicCoins(0), (0,))
    assert reservoir.mass == 0
    assert [reservoir.keys.shape, reservoir.values.shape] == [(0, 1), (0, 2)]
    cache = SubGen(seed=0, t=1, s=3, **ONE)
    cache.append([[1]], [[0]])
    assert cache.answer([1]) == [0.0]


def test_the_mass_is_exact() -> None:
    cache = SubGen(seed=0, t=1, s=1, **ONE)
    for k in range(40):
        cache.append([[0]], [[2.0 ** -(k + 1)]])
    again = SubGen.from_state(cache.state(), seed=0, t=1, s=1, **ONE)
    assert again.reservoirs[0].mass == sum(Fraction(1, 4 ** (k + 1)) for k in range(40))


# --- estimates -----------------------------------------------------------------------------


def test_norms_are_exact_for_numbers_of_different_size() -> None:
    assert squared_norm(np.array([3.0, -0.25, 2.0**-40])) == 9 + Fraction(1, 16) + Fraction(
        1, 4**40
    )


def test_answers_are_the_quotient_of_the_estimates() -> None:
    made = Estimates(
        np.array([2.0, 1.0]),
        np.array([[[1.0], [3.0]], [[0.0], [0.0]]]),
        (Fraction(3, 2), Fraction(1, 4)),
        np.array([[2.0], [1.0]]),
        np.array([[1.0, -1.0], [4.0, 0.0]]),
    )
    q = 0.5
    normaliser = (2 * exp(q) + 2 * exp(3 * q)) / 2 + 1
    expected = [(1.5 * exp(2 * q) + exp(q)) / normaliser, -1.5 * exp(2 * q) / normaliser]
    assert made.answer([Fraction(1, 2)]) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("query", "answer"),
    [(2000, float_info.max), (-2000, 0.0), (10**400, float_info.max), (-(10**400), 0.0)],
)
def test_what_is_beyond_float64_is_its_largest_number(query: int, answer: float) -> None:
    key, one = np.array([[1.0]]), np.array([[1.0]])
    made = Estimates(np.array([1.0]), np.zeros((1, 1, 1)), (Fraction(1),), key, one)
    assert made.answer([query]) == [answer]


@pytest.mark.parametrize("query", [[10**400, 1], [1e308, 1e308], [-(10**400), 10**400]])
def test_no_query_makes_an_answer_that_is_no_number(query: list[Any]) -> None:
    cache = SubGen(order=1, d=2, d_v=1, seed=0, delta=1, t=1, s=2, dtype="float64")
    for value in (1e-160, 1e160, -1e160):
        cache.append([[1e300, -1e300]], [[value]])
    (answer,) = cache.answer(query)
    assert np.isfinite(answer)


def test_slots_are_combined_in_all_tuples_and_in_pairs() -> None:
    """Two clusters a slot, two samples each; the i-th of one slot with the i-th of the other."""
    first, second = clusters([[0], [9]], Fraction(1), t=2), clusters([[2], [20]], Fraction(1), t=2)
    first._samples = [np.array([[1.0], [2.0]]), np.array([[9.0], [10.0]])]
    second._samples = [np.array([[3.0], [5.0]]), np.array([[20.0], [30.0]])]
    first._counts, second._counts = [2, 3], [5, 7]
    reservoirs = [Reservoir(1, 1, 2, F32) for _ in range(2)]
    for reservoir, key, value in zip(reservoirs, (2.0, 3.0), (4.0, 5.0), strict=True):
        reservoir.append(np.array([key]), np.array([value]), PublicCoins(0), (0,))
    made = estimates([first, second], reservoirs)
    assert made.counts.tolist() == [10, 14, 15, 21]
    assert made.samples[:, :, 0].tolist() == [[3, 10], [20, 60], [27, 50], [180, 300]]
    assert made.weights == (Fraction(1, 2),) * 2
    assert (made.keys.ravel().tolist(), made.values.ravel().tolist()) == ([6, 6], [20, 20])


def test_one_slot_without_values_leaves_no_numerator() -> None:
    cache = SubGen4Cache(order=2, d=1, d_v=1, seed=0, deltas=(1, 1), t=1, s=2)
    cache.append([[1], [1]], [[0], [3]])
    assert cache.estimates().weights == ()
    assert cache.answer([1]) == [0.0]


def test_with_exact_clusters_and_one_value_answers_are_nearly_exact() -> None:
    """δ below all distances: τ is exact; equal tokens in M: z is off only by which it drew."""
    cache = SubGen(order=1, d=2, d_v=1, seed=0, delta=Fraction(1, 100), t=1, s=4)
    for key in ((0, 0), (1, 0), (0, 1)):
        cache.append([key], [[2]])
    (answer,) = cache.answer([0, 0])
    assert answer == pytest.approx(2, rel=1e-12)


@given(st.integers(0, 2**32))
def test_slots_have_coins_of_their_own(seed: int) -> None:
    """With the same keys and values in both slots, samples differ between slots, and from M."""
    cache = SubGen4Cache(order=2, d=1, d_v=1, seed=seed, deltas=(9, 9), t=64, s=64)
    for k in range(4):
        cache.append([[k], [k]], [[1], [1]])
    drawn = [c.samples.tobytes() for c in cache.clusters] + [
        r.keys.tobytes() for r in cache.reservoirs
    ]
    assert len(set(drawn)) == 4


def test_subgen_is_subgen4_at_order_1_and_refuses_others() -> None:
    tokens = [token(k, k + 1) for k in (0, 0, 1, 5, 1)]
    one = SubGen(order=1, d=1, d_v=1, seed=3, delta=1, t=2, s=2)
    two = SubGen4Cache(order=1, d=1, d_v=1, seed=3, deltas=(1,), t=2, s=2)
    for t in tokens:
        one.append(t.keys, t.values)
        two.append(t.keys, t.values)
    assert one.state() == two.state()
    with pytest.raises(InputError, match="order: expected 1, got 2"):
        SubGen(order=2, d=1, d_v=1, seed=3, delta=1, t=2, s=2)


def test_subgen2_is_subgen_on_the_rows() -> None:
    cache = SubGen2Cache(order=2, d=1, d_v=1, seed=5, delta=1, t=2, s=2)
    rows = SubGen(order=1, d=1, d_v=1, seed=5, delta=1, t=2, s=2)
    for key in (((1,), (2,)), ((3,), (1,))):
        cache.append(key, key)
    for row in (2, 1, 6, 3):  # 1·2; then 1·1, 3·2, 3·1
        rows.append([[row]], [[row]])
    assert cache.rows.state() == rows.state()


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"deltas": (1,)}, "deltas"),
        ({"deltas": (1, 0)}, "deltas"),
        ({"deltas": (1, -1)}, "deltas"),
        ({"t": 0}, "t"),
        ({"s": 0}, "s"),
        ({"dtype": "float31"}, "dtype"),
    ],
)
def test_subgen4_refuses(options: dict[str, Any], argument: str) -> None:
    given_: dict[str, Any] = {"deltas": (1, 1), "t": 1, "s": 1, **options}
    with pytest.raises(InputError) as caught:
        SubGen4Cache(order=2, d=1, d_v=1, seed=0, **given_)
    assert caught.value.argument == argument


# --- floors.subgen -------------------------------------------------------------------------


def test_samples_as_formulas() -> None:
    e, delta, ratio = sp.symbols("epsilon delta rho", positive=True)
    assert sp.simplify(slack(e) - e / (2 + e)) == 0
    assert sp.simplify(samples(e, delta) - 2 * (2 + e) ** 2 / (e**2 * delta)) == 0
    t = (ratio - 1) ** 2 * (2 + e) ** 2 / (2 * ratio * e**2 * delta)
    assert sp.simplify(samples(e, delta, relative_variance(ratio)) - t) == 0
    assert log_ratio(Fraction(1, 2), 3, 5) == 15


def test_samples_as_numbers() -> None:
    assert subgen_samples(2, Fraction(1, 2), 0) == (1, 16)
    assert subgen_samples(1, Fraction(1, 4), 0) == (1, 72)
    assert subgen_samples(1, Fraction(5, 7), 0) == (1, 26)  # 72·(1/4)/(5/7) is 25.2
    # ϱ = e: (e-1)²/(4e) = 0.27154…, times 2·9·4 = 72
    assert subgen_samples(1, Fraction(1, 4), 1) == (20, 72)
    assert subgen_samples(Fraction(1, 10), Fraction(1, 10), Fraction(1, 100))[1] == 8820


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ((0, 1, 1), "epsilon"),
        ((1, 0, 1), "failure"),
        ((1, 2, 1), "failure"),
        ((1, 1, -1), "spread"),
    ],
)
def test_samples_refused(arguments: tuple[int, int, int], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        subgen_samples(*arguments)
    assert caught.value.argument == argument


def test_the_variance_bound_is_attained() -> None:
    """One cluster of 1 + c members, logits 0 and ln ϱ: c = ϱ of them low make it an equality."""
    ratio, low = 4, 4
    outcomes_ = [1.0] * low + [float(ratio)]
    tau = sum(outcomes_)
    terms = [len(outcomes_) * x for x in outcomes_]
    variance = sum((x - tau) ** 2 for x in terms) / len(terms)
    assert variance == pytest.approx(tau**2 * float(relative_variance(Fraction(ratio))), rel=1e-12)


# --- the tool that enumerates --------------------------------------------------------------


def test_outcomes_are_all_there_with_their_probabilities() -> None:
    third = Fraction(1, 3)
    found = list(outcomes(lambda coins: tuple(coins.flips(third, 2, (0,)).tolist())))
    assert sorted(found) == sorted(
        [
            (third**2, (True, True)),
            (third * (1 - third), (True, False)),
            (third * (1 - third), (False, True)),
            ((1 - third) ** 2, (False, False)),
        ]
    )


def test_certain_flips_do_not_branch() -> None:
    def run(coins: Coins) -> list[bool]:
        certain = [coins.flips(Fraction(p), 1, (0,))[0] for p in (0, 1)]
        return [bool(x) for x in certain]

    assert list(outcomes(run)) == [(Fraction(1), [False, True])]


def test_a_program_may_flip_according_to_flips() -> None:
    def run(coins: Coins) -> int:
        heads = 0
        while heads < 3 and coins.flips(Fraction(1, 2), 1, (heads,))[0]:
            heads += 1
        return heads

    found = sorted((heads, p) for p, heads in outcomes(run))
    assert found == [(k, Fraction(1, 2 ** min(k + 1, 3))) for k in range(4)]


@pytest.mark.parametrize(("flips", "p"), [(8, Fraction(1, 64)), (200, Fraction(1, 3))])
def test_implausible_is_the_tail_of_the_binomial(flips: int, p: Fraction) -> None:
    def tail(heads: int) -> Fraction:
        terms = (comb(flips, k) * p**k * (1 - p) ** (flips - k) for k in range(heads, flips + 1))
        return sum(terms, Fraction(0))

    for heads in range(flips + 1):
        assert implausible(heads, flips, p) == (tail(heads) < Fraction(1, 10**9))
    assert implausible(flips, flips, p)
    assert not implausible(0, flips, p)


def estimate(count: float, sample: float, weight: int, value: float) -> Estimates:
    """One key 0 of value 1 is estimated right by (1, 0, 1, 1)."""
    one = np.array([[0.0]])
    samples_ = np.array([[[sample]]])
    return Estimates(np.array([count]), samples_, (Fraction(weight),), one, np.array([[value]]))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((2.0, 0.0, 1, 1.0), "the normaliser is biased"),
        ((1.0, 1.0, 1, 1.0), "the normaliser is biased"),
        ((1.0, 0.0, 2, 1.0), "the numerator is biased"),
    ],
)
def test_a_biased_estimate_is_found(parts: tuple[float, float, int, float], reason: str) -> None:
    row = [((0,), (1,))]
    zero = {"log_ratio": arb(0), "mass": Fraction(1)}
    right = [(Fraction(1), estimate(1.0, 0.0, 1, 1.0))]
    require_moments(right, row, (Fraction(1),), **zero)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=reason):
        require_moments(
            [(Fraction(1), estimate(*parts))],
            row,
            (Fraction(1),),
            **zero,  # type: ignore[arg-type]
        )


def test_a_variance_above_its_bound_is_found() -> None:
    """Half of the time 1/2 and half of the time 3/2 needs (ϱ-1)²/(4ϱ) >= 1/4, ϱ >= 2.618."""
    half = Fraction(1, 2)
    rows = [((0,), (1,))]
    spread = [(half, estimate(x, 0.0, 1, 1.0)) for x in (0.5, 1.5)]
    require_moments(spread, rows, (Fraction(1),), log_ratio=arb(2.7).log(), mass=Fraction(1))
    with pytest.raises(Exception, match="the normaliser varies too much"):
        require_moments(spread, rows, (Fraction(1),), log_ratio=arb(2.6).log(), mass=Fraction(1))
    weights = [(half, estimate(1.0, 0.0, 1, x)) for x in (0.0, 2.0)]
    require_moments(weights, rows, (Fraction(1),), log_ratio=arb(0), mass=Fraction(1))
    with pytest.raises(Exception, match="the numerator varies too much"):
        require_moments(weights, rows, (Fraction(1),), log_ratio=arb(0), mass=Fraction(9, 10))

"""Correctly rounded gradients: against derivatives of attention, exact zeros, ties, refusals."""

from __future__ import annotations

from dataclasses import astuple
from fractions import Fraction
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

import kvfloor
from gradient_truth import BackwardCase, draw_case, entries, true_gradients
from kvfloor import GradientLayers, InputError
from kvfloor.attention.fast.backward import operands
from kvfloor.attention.gradients import exact, settling
from kvfloor.attention.gradients import residues as residues_module
from kvfloor.attention.gradients import rounding as rounding_module
from kvfloor.attention.gradients.cotangents import as_pullbacks
from kvfloor.attention.gradients.entries import entries_of_problem
from kvfloor.attention.gradients.exact import Share
from kvfloor.attention.gradients.residues import residues
from kvfloor.attention.terms import Terms
from kvfloor.attention.ziv import boundary_between, round_ball
from kvfloor.numbers import FORMATS, BinaryFormat, Rounding, as_format, ball_ends, to_fmpq

Array = Any
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "nearest", "up", "down", "zero")


def rounded(case: BackwardCase, **options: Any) -> dict[str, Array]:
    given_ = case.options | options
    return entries(kvfloor.tensor_attention_gradients_rounded(*case.arguments, **given_))


def expected(ball: arb, target: BinaryFormat, rounding: Rounding, *, finest: bool) -> float | None:
    """The correctly rounded number, None where a ball is too wide to tell."""
    number = round_ball(ball, target, rounding)
    if number is not None or not finest:
        return number
    # what is nearer to a boundary than weights of these logits can bring it is on it
    r = Fraction(0) if ball.contains(0) else boundary_between(ball_ends(ball), target, rounding)
    return None if r is None else target.round(r, rounding)


def enough_bits(case: BackwardCase) -> int:
    """Twice what the largest difference of two logits takes, and some more."""
    largest = np.prod([np.abs(A).max() for A in (case.given["query"], *case.keys)])
    added = [case.given[name] for name in ("bias", "sink") if name in case.given]
    more = sum(np.abs(np.where(np.isinf(A), 0, A)).max() for A in added)
    return 3000 + int(6 * (case.given["query"].shape[-1] * largest + more))


def check(case: BackwardCase, dtype: str, rounding: Rounding, layers: GradientLayers) -> int:
    """Compare all numbers of a case with the truth, and count them."""
    target = as_format(dtype)
    found = rounded(case, dtype=dtype, rounding=rounding, layers=layers)
    truth, finer = true_gradients(case), None
    for name, numbers in found.items():
        assert numbers.dtype == target.dtype
        assert numbers.shape == truth[name].shape
        for place in np.ndindex(*numbers.shape):
            right = expected(truth[name][place], target, rounding, finest=False)
            if right is None:
                finer = finer if finer is not None else true_gradients(case, enough_bits(case))
                right = expected(finer[name][place], target, rounding, finest=True)
            assert right is not None
            one = float(numbers[place])
            same = one == right and np.signbit(one) == np.signbit(right)
            assert same or (np.isnan(one) and np.isnan(right)), (name, place, one, right)
    return sum(numbers.size for numbers in found.values())


def check_many(seeds: range) -> tuple[int, GradientLayers]:
    count, layers, names = 0, GradientLayers(), sorted(FORMATS)
    for seed in seeds:
        order, heads = 1 + seed % 3, bool(seed // 3 % 2)
        dtype, rounding = names[seed % len(names)], ROUNDINGS[seed // 2 % len(ROUNDINGS)]
        count += check(draw_case(seed, order, heads=heads), dtype, rounding, layers)
    return count, layers


def test_every_number_is_the_right_one() -> None:
    count, layers = check_many(range(1000, 1030))
    assert count > 800
    assert sum(astuple(layers)) == count
    assert layers.residues > 0


@pytest.mark.long
def test_many_numbers_are_the_right_ones() -> None:
    count, layers = check_many(range(2000, 2200))
    assert count > 4000
    assert sum(astuple(layers)) == count


def test_batches_and_heads_are_those_one_by_one() -> None:
    rng = np.random.default_rng(3)
    Q, G = (rng.normal(size=(2, 4, 3, 5)) for _ in range(2))
    K, V = (rng.normal(size=(2, 2, 4, 5)) for _ in range(2))
    sink = rng.normal(size=4)
    options: dict[str, Any] = {"dtype": "float64", "mask": "causal", "softcap": 3}
    gradients = kvfloor.tensor_attention_gradients_rounded
    found = gradients(Q, [K], [V], G, sink=sink, **options)
    for i, j in np.ndindex(2, 2):
        group = slice(2 * j, 2 * j + 2)
        one = gradients(
            Q[i, group], [K[i, j][None]], [V[i, j][None]], G[i, group], sink=sink[group], **options
        )
        assert (one.query == found.query[i, group]).all()
        assert (one.keys[0][0] == found.keys[0][i, j]).all()
        assert (one.values[0][0] == found.values[0][i, j]).all()
    assert found.sink.shape == (4,)
    twice = gradients(Q, [K], [V], G, sink=np.stack([sink] * 2), **options)
    assert np.allclose(twice.sink.sum(axis=0), found.sink, rtol=1e-15, atol=1e-15)


def test_entries_of_queries_are_enclosed_by_themselves() -> None:
    Q, K, V, G = (np.random.default_rng(4).normal(size=(4, 3)) for _ in range(4))
    mask = np.tri(4, dtype=bool)
    (one,), _ = as_pullbacks(Q, [K], [V], G, None, 1, mask, Terms(np.eye(4), [1.0, 2, 3, 4]))
    entries_ = entries_of_problem(one)
    everything = entries_.enclose(128, np.arange(36))
    places = np.array([10, 4, 5, 9])
    for place, ball in zip(places, entries_.enclose(128, places), strict=True):
        assert ball.overlaps(everything[place])
        assert ball.rad() < 1e-30


# --- what is exact -------------------------------------------------------------------------


def alone(
    query: Any, keys: Any, values: Any, cotangent: Any, dtype: Any = "float16", **options: Any
) -> tuple[dict[str, Array], GradientLayers]:
    layers = GradientLayers()
    found = kvfloor.tensor_attention_gradients_rounded(
        query, keys, values, cotangent, dtype=dtype, layers=layers, **options
    )
    return entries(found), layers


def test_a_zero_that_only_sums_of_two_logits_show() -> None:
    """Logits 0, 1, 2, 3 make weights a product, under which keys and values are independent."""
    keys = [[0, 3], [1, 3], [2, 5], [3, 5]]
    found, layers = alone([1, 0], [keys], [[[7], [11], [7], [11]]], [1])
    assert found["query"][1] == 0
    assert layers.exact == 1
    keys[3][0] = 4
    found, layers = alone([1, 0], [keys], [[[7], [11], [7], [11]]], [1])
    assert found["query"][1] != 0
    assert layers.exact == 0


def test_such_a_zero_at_order_two_and_with_a_root() -> None:
    ones = [[1, 1]]
    for scale in (Fraction(1, 3), "1/sqrt(d)"):
        found, layers = alone(
            [1, 0], [ones, [[0, 3], [1, 3], [2, 5], [3, 5]]], [[[1]], [[7], [11], [7], [11]]],
            [1], scale=scale,
        )  # fmt: skip
        assert found["query"][1] == found["keys 0"][0, 1] == 0
        assert layers.exact == 1  # that of the keys has the factor 0, the query's
        assert layers.residues == 0


def test_ties_are_decided() -> None:
    """One key for all: dq is g·k, whatever the values; here the middle of two numbers."""
    middle = 1 + 2.0**-11
    given_ = {"logsumexp_cotangent": 1, "bias": [0.5, 1, 7]}
    for rounding, right in (("nearest", 1.0), ("up", 1 + 2.0**-10), ("zero", 1.0)):
        found, layers = alone(
            [2], [[[middle]] * 3], [[[0.0]] * 3], [3], rounding=rounding, **given_
        )
        assert found["query"].tolist() == [right]
        assert layers.exact >= (rounding == "nearest")
    values = [[[1.0], [2], [3]]]
    found, layers = alone([2], [[[middle]] * 3], values, [3], **given_)
    assert found["query"].tolist() == [1.0]
    assert layers.exact == 1
    found, layers = alone([2], [[[middle / 4]] * 3], values, [3], **given_)
    assert found["query"].tolist() == [0.25]
    assert layers.exact == 1
    above = np.nextafter(middle, 2)
    found, _ = alone([2], [[[above]] * 3], values, [3], **given_)
    assert found["query"].tolist() == [1 + 2.0**-10]


def test_rational_multiples_of_a_root_are_no_ties() -> None:
    """√2·g·k/2 with k near √2: a number of the format is no more than near."""
    k = 1.4142135623730951  # above √2
    found, _ = alone(
        [0, 0], [[[k, 0]] * 2], [[[1.0]] * 2], [0], "float64", logsumexp_cotangent=1,
        scale="1/sqrt(d)", rounding="down",
    )  # fmt: skip
    assert found["query"].tolist() == [1.0, 0.0]
    below = np.nextafter(k, 0)
    found, _ = alone(
        [0, 0], [[[below, 0]] * 2], [[[1.0]] * 2], [0], "float64", logsumexp_cotangent=1,
        scale="1/sqrt(d)", rounding="down",
    )  # fmt: skip
    assert found["query"].tolist() == [np.nextafter(1, 0), 0.0]


def opposite(less: Any = 0) -> tuple[dict[str, Array], GradientLayers]:
    """Each query twice, with opposite cotangents."""
    rng = np.random.default_rng(0)
    Q, K, V, G = (rng.normal(size=(3, 2)) for _ in range(4))
    g = rng.normal(size=3)
    back = [[Fraction(float(-x)) + less for x in row] for row in G]
    return alone(
        np.vstack([Q, Q]), [K], [V], [*map(list, G.tolist()), *back], "float32",
        logsumexp_cotangent=[*g, *-g],
    )  # fmt: skip


def test_sums_over_queries_that_cancel_are_zero_but_for_a_chance() -> None:
    found, layers = opposite()
    assert (found["keys 0"] == 0).all()
    assert (found["values 0"] == 0).all()
    assert not np.signbit(found["keys 0"]).any()
    assert (layers.residues, layers.exact) == (12, 0)


def test_sums_over_queries_that_nearly_cancel_are_not_zero() -> None:
    for sign in (1, -1):
        found, layers = opposite(Fraction(sign, 2**400))
        assert layers.residues == layers.exact == 0
        assert (np.signbit(found["values 0"]) == (sign < 0)).all()


def test_sums_of_rational_shares_are_proved() -> None:
    """Two queries with equal logits each; sums of their shares are ties."""
    K, V = np.zeros((2, 1)), np.array([[1.0], [3.0]])
    found, layers = alone([[1.0], [2.0]], [K], [V], [[2.0], [2.0**-10]])
    assert found["values 0"].ravel().tolist() == [1.0, 1.0]
    assert (layers.exact, layers.residues) == (0, 0)  # such balls are exact themselves
    found, layers = alone(
        [[1.0], [2.0]], [K], [V], [[1.5], [1.5 + 3 * 2.0**-11]], bias=[[0, 0], [5, 5]], sink=[0, 5]
    )
    assert found["values 0"].ravel().tolist() == [1.0, 1.0]
    assert (layers.exact, layers.residues) == (2, 0)


def test_under_a_cap_a_zero_is_found() -> None:
    rng = np.random.default_rng(1)
    Q, K, V, G = (rng.normal(size=(3, 2)) for _ in range(4))
    found, layers = alone(np.vstack([Q, Q]), [K], [V], np.vstack([G, -G]), "float32", softcap=2)
    assert (found["keys 0"] == 0).all()
    assert (found["values 0"] == 0).all()
    assert layers.residues == 12
    # the cap is odd, so that weights of keys k and -k are inverse, and not alike
    k = 2.0**-200
    found, layers = alone([1], [[[k], [-k]]], [[[1], [2]]], [1], softcap=2, rounding="up")
    assert found["values 0"].ravel().tolist() == [0.5 + 2.0**-11, 0.5]
    assert layers.residues == layers.exact == 0


def test_rows_without_tuples_and_masked_tokens_get_zeros() -> None:
    mask = np.array([[True, True, False], [False] * 3])
    Q, K, V, G = (np.random.default_rng(2).normal(size=(3, 2)) for _ in range(4))
    found, layers = alone(Q[:2], [K], [V], G[:2], mask=mask, logsumexp_cotangent=[1, 1])
    for zeros in (found["query"][1], found["keys 0"][2], found["values 0"][2]):
        assert (zeros == 0).all()
        assert not np.signbit(zeros).any()
    assert layers.exact == layers.residues == 0


def test_tiny_gradients_keep_their_sign() -> None:
    found, _ = alone([1], [[[900], [0]]], [[[1], [0]]], [1])
    assert found["query"].tolist() == [0.0]
    assert not np.signbit(found["query"][0])
    found, _ = alone([1], [[[900], [0]]], [[[0], [1]]], [1])
    assert np.signbit(found["query"][0])
    found, _ = alone([1], [[[900], [0]]], [[[0], [1]]], [1], rounding="down")
    assert found["query"].tolist() == [-(2.0**-24)]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rounding", ROUNDINGS[1:])
def test_ends_of_a_format_are_boundaries(name: str, rounding: Rounding) -> None:
    """One tuple, so that gradients are multiples of the cotangent of the log-sum-exp."""
    target = as_format(name)
    least, top = target.ulp(Fraction(0)), target.max_finite
    for size in (least / 2, least, top, top + target.ulp(top) / 2):
        for g in (size, -size):
            found = kvfloor.tensor_attention_gradients_rounded(
                [1], [[[3]]], [[[1]]], [1], dtype=name, logsumexp_cotangent=g, bias=[1],
                scale=Fraction(1, 3), rounding=rounding,
            )  # fmt: skip
            right = target.round(g, rounding)
            for number in (found.query[0], found.bias[0]):
                assert np.array_equal(float(number), right, equal_nan=True)
                assert np.isnan(right) or np.signbit(number) == np.signbit(right)


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("g", [2.0**-1074, -(2.0**-1022), 2.0**-600, 2.0**-59])
def test_cotangents_far_below_others_are_no_zeros(name: str, g: float) -> None:
    """The gradient of a lone token's bias is that of its log-sum-exp, whatever its output's is."""
    found = kvfloor.tensor_attention_gradients_rounded(
        [1.0], [[[3.0]]], [[[1.0]]], [1.0], dtype=name, logsumexp_cotangent=g, bias=[0.0],
        rounding="up",
    )  # fmt: skip
    assert found.bias.tolist() == [as_format(name).round(Fraction(g), "up")]


@pytest.mark.parametrize("key", [10.0**6, 10.0**300])
@pytest.mark.parametrize("scale", [1, "1/sqrt(d)"])
def test_a_number_that_bits_cannot_part_from_a_boundary_lies_beside_it(
    key: float, scale: Any
) -> None:
    keys, values = [[[key, 0], [0, 1]]], [[[1.0], [1.5]]]
    below = np.nextafter(np.float16(1), np.float16(0))
    for rounding, right in (("nearest", 1.0), ("down", below), ("up", 1.0), ("zero", below)):
        found, layers = alone([1, 0], keys, values, [1], rounding=rounding, scale=scale)
        assert found["values 0"][0, 0] == right
        tiny = 2.0**-24 if rounding == "up" else 0
        assert found["values 0"][1, 0] == tiny
        assert found["query"].tolist() == ([-0.0, tiny] if rounding == "up" else
            [-(2.0**-24) if rounding == "down" else 0, 0])  # fmt: skip
        assert layers.exact == (0 if rounding == "nearest" else 1)
        assert layers.residues == 0


def test_a_number_lies_above_a_boundary() -> None:
    """g·Σ p·k of keys 1 and 2 is 1 + e^-(10^6)."""
    above = 1 + 2.0**-10
    for rounding, right in (("nearest", 1.0), ("up", above), ("down", 1.0), ("zero", 1.0)):
        found, _ = alone(
            [1, 0], [[[10**6, 1], [0, 2]]], [[[0], [0]]], [0],
            logsumexp_cotangent=1, rounding=rounding,
        )  # fmt: skip
        assert found["query"][1] == right


def test_with_a_root_no_share_is_compared_with_a_rational() -> None:
    """√2·g·k/2 with k within 2**-700 of √2."""
    for more, right in ((1, 1 + 2.0**-10), (0, 1.0)):
        k = Fraction(isqrt(2 << 1400) + more, 1 << 700)
        found, _ = alone(
            [0, 0], [[[k, 0]] * 2], [[[1.0], [2]]], [1], logsumexp_cotangent=1,
            scale="1/sqrt(d)", rounding="up",
        )  # fmt: skip
        assert found["query"].tolist() == [right, 0.0]


def test_sums_of_shares_lie_beside_boundaries() -> None:
    """Two queries see 1/4 and 3/4 but for e^-(10^6), more of one and less of the other."""
    keys, values, layers = [[[10**6], [0]]], [[[3.0], [5.0]]], GradientLayers()
    for first, right in ((0.25, 1 - 2.0**-11), (Fraction(1, 4) + Fraction(1, 2**90), 1.0)):
        found = kvfloor.tensor_attention_gradients_rounded(
            [[1], [1 + 2.0**-40]], keys, values, [[first], [0.75]], dtype="float16",
            rounding="down", layers=layers,
        )  # fmt: skip
        assert found.values[0][0, 0] == right
    assert layers.exact == 1  # the second is told by 128 bits


# --- shares and residues -------------------------------------------------------------------


def share(U: list[int], m: list[int], K: list[int], A: list[int], s: list[int]) -> Any:
    keys = [(fmpq(0), fmpq(x)) for x in s]
    return Share(keys, *(list(map(fmpq, x)) for x in (m, U, K, A))).rational()


def test_products_of_linear_forms_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """U·m - K·A = r·m², whatever the exponents are."""
    monkeypatch.setattr("kvfloor.attention.gradients.exact.MOST_PAIRS", 0)
    s = [5, 3, 0]
    assert share([3, 6, 3], [1, 2, 1], [0, 0, 0], [7, 8, 9], s) == 3
    assert share([6, 10, 4], [1, 2, 1], [4, 5, 1], [1, 2, 1], s) is None
    assert share([6, 9, 3], [1, 2, 1], [4, 5, 1], [1, 2, 1], s) == 2
    assert share([6, 9, 3], [1, 2, 1], [1, 2, 1], [4, 5, 1], s) == 2


def test_pairs_that_are_too_many_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    product_of_weights = ([0, 0, 0, 0], [1, 1, 1, 1], [5, 5, 3, 3], [11, 7, 11, 7], [3, 2, 1, 0])
    U = [k * a for k, a in zip(*product_of_weights[2:4], strict=True)]
    assert share(U, *product_of_weights[1:]) == 0
    monkeypatch.setattr("kvfloor.attention.gradients.exact.MOST_PAIRS", 15)
    assert share(U, *product_of_weights[1:]) is None


@given(st.integers(0, 2**32), st.sampled_from((1, 2, 3)))
def test_residues_obey_the_laws(seed: int, order: int) -> None:
    """They are gradients in a field: of logits they sum to g, and slots have equal moments."""
    case = draw_case(seed, order)
    lengths = tuple(map(len, case.keys))
    rng = np.random.default_rng(seed)
    case.given["bias"] = rng.normal(size=(*case.cotangent.shape[:-1], *lengths))
    case.given["sink"] = rng.normal(size=case.cotangent.shape[:-1])
    terms = Terms(case.given["bias"], case.given["sink"], case.softcap)
    g, (Q, K, V, G) = case.logsumexp_cotangent, case.arguments
    (pullback,), _ = as_pullbacks(Q, K, V, G, g, case.scale, case.mask, terms)
    found = residues([pullback])
    assert found is not None
    (part,), number = found
    zero = number(fmpq(0))
    assert part.sink is not None
    for b, (row, sink) in enumerate(zip(part.logits, part.sink, strict=True)):
        right = 0 if g is None else to_fmpq(Fraction(g[b]))
        assert sum(row.ravel().tolist(), sink) == number(fmpq(right))
    for c in range(case.given["query"].shape[1]):
        pairs = [(case.given["query"], part.query), *zip(case.keys, part.keys, strict=True)]
        moments = [
            sum((number(to_fmpq(Fraction(x))) * y for x, y in zip(A[:, c], dA[:, c], strict=True)),
                zero) for A, dA in pairs
        ]  # fmt: skip
        assert all(moment == moments[0] for moment in moments)


def test_primes_are_larger_than_degrees(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    prime = residues_module._prime

    def noted(bits: int) -> int:
        sizes.append(bits)
        return prime(bits)

    monkeypatch.setattr(residues_module, "_prime", noted)
    for k, least in ((1.0, 64), (2.0**-100, 164), (2.0**-400, 464)):
        (pullback,), _ = as_pullbacks([1], [[[k], [1]]], [[[1], [2]]], [1], None, 1, None, Terms())
        assert residues([pullback]) is not None
        assert least + 4 <= sizes[-1] <= least + 20
    (pullback,), _ = as_pullbacks(
        [1], [[[2.0**-1000], [1]]], [[[1], [2]]], [1], None, 1, None, Terms()
    )
    assert residues([pullback]) is None  # beyond 1024 bits


def test_the_page_has_the_limits_of_the_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gradients.md").read_text()
    flat = " ".join(page.split())
    for text in (
        f"more than {isqrt(exact.MOST_PAIRS)} different logits",
        f"chance below 2^-{residues_module.CHANCE_BITS}",
        f"has {residues_module.CHANCE_BITS + 4} bits more than the degree",
        f"is beyond {residues_module.MOST_BITS:,} bits",
        f"up to {settling.FEW} gradients that are left go on alone",
        f"powers of two beyond 2^±{operands._RANGE}",
        f"**Balls** at {rounding_module.FIRST_BITS} bits",
        f"From {rounding_module.SIGN_BITS} bits on",
        f"that {rounding_module.MOST_BITS:,} bits do not part",
    ):
        assert text in flat


def test_without_residues_shares_still_prove() -> None:
    keys = [[0, 3], [2.0**-1000, 3], [2, 5], [2 + Fraction(1, 2**1000), 5]]
    found, layers = alone([1, 0], [keys], [[[7], [11], [7], [11]]], [1])
    assert found["query"][1] == 0
    assert found["query"][0] == 0
    assert layers.exact == 2  # the other is about 2**-1000, and as near to zero


# --- refusals ------------------------------------------------------------------------------


def test_under_a_cap_a_number_beside_a_boundary_is_not_decided_for_ever() -> None:
    """1 - e^-(10^6) rounded down: no 2**16 bits tell, and it is said."""
    with pytest.raises(InputError, match=r"query: expected .* for which 65536 bits part"):
        alone([1], [[[2 * 10**6], [0]]], [[[1], [1]]], [1], rounding="down", softcap=10**7)


def test_queries_whose_rests_cancel_are_not_decided_for_ever() -> None:
    """2/(1 + x) - 1/(1 + 2x) is 1 - 2x², and x = e^-(10^5)."""
    seen = np.array([[True, True, False], [True, True, True]])
    with pytest.raises(InputError, match=r"query: expected .* for which 65536 bits part"):
        kvfloor.tensor_attention_gradients_rounded(
            *([[1], [1]], [[[10**5], [0], [0]]], [[[1], [0], [0]]], [[2], [-1]]),
            dtype="float16", rounding="down", mask=seen,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dtype": "float31"}, "dtype: expected"),
        ({"rounding": "odd"}, "rounding: expected"),
        ({"layers": kvfloor.Layers()}, "layers: expected a GradientLayers or None"),
        ({"like": 3}, "like: expected"),
        ({"cotangent": [[1.0]]}, r"cotangent: expected shape \(2, 2\)"),
    ],
)
def test_bad_input_is_named(changed: dict[str, Any], message: str) -> None:
    eye = np.eye(2)
    given_: dict[str, Any] = {"query": eye, "keys": [eye], "values": [eye], "cotangent": eye}
    with pytest.raises(InputError, match=message):
        kvfloor.tensor_attention_gradients_rounded(**given_ | {"dtype": "float32"} | changed)

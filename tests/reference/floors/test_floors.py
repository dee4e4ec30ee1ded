"""Bounds as functions: each against its definition, in rationals or balls (L1, L2, T1)."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import nan
from typing import Any

import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import ExactAttention, Guarantee, InputError
from kvfloor.floors import (
    competitors_per_tie,
    exceeds_log,
    four_cache,
    leak,
    least_multiplier,
    margin_ratio,
    threshold,
)
from kvfloor.numbers import arb_precision, to_fmpq
from strategies import guarantees

positive = st.fractions(Fraction(1, 20), 20, max_denominator=20)


def ln(x: Fraction, bits: int = 400) -> arb:
    with arb_precision(bits):
        return arb(to_fmpq(x)).log()


# --- leak, threshold, margin: L1 and L2 ----------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5))
def test_leak_is_the_weight_off_the_top(ties: int, competitors: int, gap: int) -> None:
    keys = [[gap]] * ties + [[0]] * competitors
    values = [[1]] * ties + [[0]] * competitors
    (top,) = ExactAttention([keys], [values])([1]).enclose(300)
    with arb_precision(300):
        missing = leak(competitors * arb(-gap).exp() / ties) - (1 - top)
        assert missing.contains(0)
        assert missing.abs_upper() < arb(2) ** -280


def test_leak_of_numbers() -> None:
    assert leak(Fraction(1)) == Fraction(1, 2)
    assert leak(Fraction(1, 3)) == Fraction(1, 4)


@given(guarantees(), st.fractions(0, Fraction(99, 100), max_denominator=100))
def test_threshold_parts_0_from_1_at_every_leak_that_allows_it(
    guarantee: Guarantee, share: Fraction
) -> None:
    eta, alpha = guarantee.eta, guarantee.alpha
    most = (1 - eta) / 2 - alpha
    lam = share * most
    highest_zero = lam * (1 + eta) + alpha
    lowest_one = (1 - lam) * (1 - eta) - alpha
    assert highest_zero < threshold(guarantee) < lowest_one
    assert most * (1 + eta) + alpha == threshold(guarantee) == (1 - most) * (1 - eta) - alpha


@given(guarantees(), st.integers(1, 50))
def test_margin_ratio_is_where_the_leak_reaches_its_most(
    guarantee: Guarantee, competitors: int
) -> None:
    at_the_edge = Fraction(competitors) / margin_ratio(guarantee, competitors)  # M·exp(-g)
    assert leak(at_the_edge) == (1 - guarantee.eta) / 2 - guarantee.alpha


def test_margin_ratio_of_exact_answers_is_m() -> None:
    assert margin_ratio(Guarantee(), 7) == 7
    assert margin_ratio(Guarantee(Fraction(1, 2)), 7) == 21
    assert margin_ratio(Guarantee(alpha=Fraction(1, 4)), 7) == 21


def test_margin_ratio_refuses_a_guarantee_that_separates_nothing() -> None:
    with pytest.raises(InputError, match="guarantee"):
        margin_ratio(Guarantee(alpha=Fraction(1, 2)), 3)


@pytest.mark.parametrize("self_token", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_competitors_are_counted(n: int, order: int, self_token: bool) -> None:
    tokens = range(n + self_token)  # token n, if any, is the query's own
    tuples = list(product(tokens, repeat=order))
    top = [t for t in tuples if t[0] == 0 and n not in t]
    assert competitors_per_tie(Fraction(n), order, self_token) == Fraction(
        len(tuples) - len(top), len(top)
    )


def test_four_cache() -> None:
    assert four_cache(64, 16) == 1024


# --- logarithms ----------------------------------------------------------------------------


@given(st.fractions(-5, 5, max_denominator=50), positive)
def test_exceeds_log_is_decided_as_by_balls(margin: Fraction, ratio: Fraction) -> None:
    with arb_precision(400):
        gap = to_fmpq(margin) - ln(ratio)
    assert gap > 0 or gap < 0 or (margin == 0 and ratio == 1)
    assert exceeds_log(margin, ratio) == bool(gap > 0)


@given(positive.filter(lambda x: x != 1), st.integers(10, 90))
def test_exceeds_log_decides_hair_breadths(ratio: Fraction, digits: int) -> None:
    with arb_precision(400):
        cell = (ln(ratio) * 10**digits).floor().unique_fmpz()
    assert cell is not None
    below, above = Fraction(int(cell), 10**digits), Fraction(int(cell) + 1, 10**digits)
    assert not exceeds_log(below, ratio)
    assert exceeds_log(above, ratio)


@pytest.mark.parametrize(
    ("margin", "ratio", "truth"),
    [
        (Fraction(0), Fraction(0), True),
        (Fraction(-3), Fraction(0), True),
        (Fraction(0), Fraction(1, 2), True),
        (Fraction(0), Fraction(1), False),
        (Fraction(0), Fraction(2), False),
        (Fraction(-1, 10), Fraction(1), False),
        (Fraction(1, 10**30), Fraction(1), True),
    ],
)
def test_exceeds_log_at_the_corners(margin: Fraction, ratio: Fraction, truth: bool) -> None:
    assert exceeds_log(margin, ratio) is truth


@given(positive, st.fractions(0, 10**6))
def test_least_multiplier_is_least(margin: Fraction, ratio: Fraction) -> None:
    C = least_multiplier(margin, ratio)
    assert type(C) is int
    assert C >= 1
    with arb_precision(400):
        assert ratio == 0 or C * to_fmpq(margin) > ln(ratio)
        assert C == 1 or (C - 1) * to_fmpq(margin) < ln(ratio)


def test_least_multiplier_just_below_and_above_a_whole_number() -> None:
    below, above = Fraction(2721, 1001), Fraction(1457, 536)  # around e = 2.7182818…
    assert ln(below) < 1 < ln(above)
    assert least_multiplier(Fraction(1), below) == 1
    assert least_multiplier(Fraction(1), above) == 2
    assert least_multiplier(Fraction(1), Fraction(1)) == 1


def test_least_multiplier_beyond_float64_is_least() -> None:
    margin = Fraction(1, 10**20)
    C = least_multiplier(margin, Fraction(3))
    with arb_precision(400):
        assert (C - 1) * to_fmpq(margin) < ln(Fraction(3))


@pytest.mark.parametrize(
    "decide",
    [
        lambda: least_multiplier(Fraction(0), Fraction(2)),
        lambda: exceeds_log(Fraction(1), Fraction(-1)),
    ],
)
def test_logarithms_refuse_by_name(decide: Any) -> None:
    with pytest.raises(InputError):
        decide()


# --- guarantees ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "argument", "expected", "got"),
    [
        ((1,), "eta", "a number with 0 <= eta < 1", "1"),
        ((-0.25,), "eta", "a number with 0 <= eta < 1", "-1/4"),
        ((0, "-1/8"), "alpha", "a number >= 0", "-1/8"),
        ((nan,), "eta", "a finite real number", "nan"),
        ((0, nan), "alpha", "a finite real number", "nan"),
        ((None,), "eta", "a finite real number", "None"),
        ((False,), "eta", "a finite real number", "False"),
        ((0, 1j), "alpha", "a finite real number", "1j"),
    ],
)
def test_guarantee_refused(
    arguments: tuple[Any, ...], argument: str, expected: str, got: str
) -> None:
    with pytest.raises(InputError) as caught:
        Guarantee(*arguments)
    error = caught.value
    assert (error.argument, error.expected, error.got) == (argument, expected, got)


def test_guarantee_is_exact_and_alpha_unbounded() -> None:
    guarantee = Guarantee(0.1, "7/2")  # type: ignore[arg-type]
    assert (guarantee.eta, guarantee.alpha) == (Fraction(0.1), Fraction(7, 2))
    assert Guarantee() == Guarantee(0, 0)  # type: ignore[arg-type]


def test_guarantee_separates_bits_below_one() -> None:
    fine = Guarantee(Fraction(1, 2), Fraction(249, 1000))
    assert fine.separates_bits() is fine
    with pytest.raises(InputError) as caught:
        Guarantee(Fraction(1, 2), Fraction(1, 4)).separates_bits()
    assert caught.value.argument == "guarantee"
    assert caught.value.expected == "eta + 2*alpha < 1, or no margin tells 0 from 1"
    assert caught.value.got == "eta=1/2, alpha=1/4"


@pytest.mark.parametrize("eta", [Fraction(0), Fraction(1, 4), Fraction(3, 4)])
@pytest.mark.parametrize("alpha", [Fraction(0), Fraction(1, 4), Fraction(1)])
def test_accepts_is_its_definition(eta: Fraction, alpha: Fraction) -> None:
    guarantee, grid = Guarantee(eta, alpha), [Fraction(k, 4) for k in range(-6, 7)]
    for answer, low, width in product(grid, grid, range(7)):
        # |o - y| - η|y| is linear in y between quarters, so quarters decide for all of [low, high].
        outputs = [low + Fraction(k, 4) for k in range(width + 1)]
        accurate = {abs(answer - y) <= eta * abs(y) + alpha for y in outputs}
        verdict = guarantee.accepts(answer, outputs[0], outputs[-1])
        assert verdict is (accurate.pop() if len(accurate) == 1 else None)


def test_accepts_at_the_very_edge() -> None:
    guarantee, y = Guarantee(Fraction(1, 4), Fraction(1, 8)), Fraction(1)
    hair = Fraction(1, 2**200)
    assert guarantee.accepts(Fraction(11, 8), y, y) is True
    assert guarantee.accepts(Fraction(11, 8) + hair, y, y) is False
    assert guarantee.accepts(Fraction(5, 8), y, y) is True
    assert guarantee.accepts(Fraction(5, 8) - hair, y, y) is False
    assert guarantee.accepts(Fraction(11, 8), y - hair, y + hair) is None

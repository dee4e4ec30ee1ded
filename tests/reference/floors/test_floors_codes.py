"""Sizes of codes: caps against known fractions, tails against all coins (L5)."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, product
from math import comb
from typing import Any

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError
from kvfloor.floors import (
    cap_fraction,
    exceeds_log,
    greedy_size,
    hoeffding_exponent,
    least_sign_dimension,
    pairs_of,
    sign_tail,
)
from kvfloor.numbers import arb_precision

HALF = Fraction(1, 2)


@pytest.mark.parametrize("cosine", [Fraction(0), Fraction(1, 3), HALF, Fraction(9, 10)])
def test_cap_fractions_known_in_closed_form(cosine: Fraction) -> None:
    """On the circle θ/π, on the sphere (1 - cos θ)/2, in R^4 (2θ - sin 2θ)/(2π)."""
    with arb_precision(128):
        c = arb(fmpq(cosine.numerator, cosine.denominator))
        theta, pi = c.acos(), arb.pi()
        known = {2: theta / pi, 3: (1 - c) / 2, 4: (2 * theta - (2 * theta).sin()) / (2 * pi)}
        for d, fraction in known.items():
            assert cap_fraction(d, cosine).overlaps(fraction)
            assert cap_fraction(d, cosine).rad() < 1e-30


def test_greedy_sizes() -> None:
    assert [greedy_size(d, Fraction(0)) for d in (2, 3, 8)] == [2, 2, 2]
    assert [greedy_size(d, HALF) for d in (2, 3, 5, 8, 12)] == [3, 4, 7, 12, 25]
    assert greedy_size(3, Fraction(9, 10)) == 20
    assert [greedy_size(3, Fraction(9, 10), most) for most in (19, 20, 21)] == [19, 20, 20]


def test_a_size_too_large_to_write_down_is_capped() -> None:
    assert greedy_size(131072, Fraction(1023, 1024), 1000) == 1000
    assert greedy_size(10**7, HALF, 10**6) == 10**6


@pytest.mark.parametrize("d", range(1, 9))
def test_tail_counts_all_coins(d: int) -> None:
    sums = [sum(coins) for coins in product((1, -1), repeat=d)]
    for least in range(-d - 2, d + 3):
        for part in (Fraction(least), Fraction(2 * least + 1, 2)):
            assert sign_tail(d, part) == Fraction(sum(s >= part for s in sums), 2**d)


@pytest.mark.parametrize("epsilon", [Fraction(1, 4), HALF, Fraction(1)])
@pytest.mark.parametrize("rows", [2, 3, 10, 200])
def test_least_dimension_is_least(rows: int, epsilon: Fraction) -> None:
    pairs = rows * (rows - 1) // 2
    for exact in (True, False):

        def enough(d: int, exact: bool = exact) -> bool:
            if exact:
                first = next(k for k in range(d + 1) if 2 * k - d >= epsilon * d)
                return pairs * sum(comb(d, k) for k in range(first, d + 1)) < int(2**d)
            with arb_precision(128):
                ln = arb(pairs).log()
                return bool(d * fmpq(epsilon.numerator**2, 2 * epsilon.denominator**2) > ln)

        d = least_sign_dimension(rows, epsilon, exact=exact)
        assert enough(d)
        assert not any(enough(smaller) for smaller in range(1, d))


@given(st.integers(2, 60), st.fractions(Fraction(1, 8), 1, max_denominator=40))
def test_no_dimension_is_passed_over(rows: int, epsilon: Fraction) -> None:
    """The exact tail is not monotone; one dimension after the other finds the same."""
    tails = ((d, sign_tail(d, epsilon * d)) for d in count(1))
    assert least_sign_dimension(rows, epsilon) == next(
        d for d, tail in tails if pairs_of(rows) * tail < 1
    )


def test_exact_tail_rises_and_falls() -> None:
    """For 6 rows and ε = 1/2, dimension 7 is enough, and 8, 9 and 12 are not."""
    tails = [pairs_of(6) * sign_tail(d, HALF * d) for d in range(1, 20)]
    assert [d for d, tail in enumerate(tails, 1) if tail >= 1] == [1, 2, 3, 4, 5, 6, 8, 9, 12]
    assert least_sign_dimension(6, HALF) == 7


def test_a_small_epsilon_needs_many_dimensions() -> None:
    """In hundreds of thousands of dimensions, not one after the other."""
    epsilon = Fraction(1, 200)
    assert least_sign_dimension(10, epsilon, exact=False) == 304533
    assert least_sign_dimension(10, epsilon) == 161202


def test_exact_tail_is_sharper() -> None:
    """The dimensions of ε = 1/2: for 10, 100 and 1024 rows, by the tail and by Hoeffding."""
    assert [least_sign_dimension(rows, HALF) for rows in (10, 100, 1024)] == [15, 47, 82]
    by_hoeffding = [least_sign_dimension(rows, HALF, exact=False) for rows in (10, 100, 1024)]
    assert by_hoeffding == [31, 69, 106]


@pytest.mark.parametrize("d", [1, 2, 7, 30])
def test_hoeffding_bounds_the_tail(d: int) -> None:
    for numerator in range(1, 11):
        epsilon = Fraction(numerator, 10)
        tail = sign_tail(d, epsilon * d)
        assert not exceeds_log(hoeffding_exponent(d, epsilon), 1 / tail)


def test_pairs() -> None:
    assert [pairs_of(rows) for rows in (1, 2, 3, 10)] == [0, 1, 3, 45]


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: cap_fraction(1, HALF), "d"),
        (lambda: cap_fraction(2, Fraction(1)), "cosine"),
        (lambda: greedy_size(2, Fraction(-1, 9)), "cosine"),
        (lambda: sign_tail(0, HALF), "d"),
        (lambda: least_sign_dimension(1, HALF), "rows"),
        (lambda: least_sign_dimension(5, Fraction(0)), "epsilon"),
        (lambda: least_sign_dimension(5, Fraction(9, 8)), "epsilon"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument

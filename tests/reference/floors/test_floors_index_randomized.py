"""Entropy, its inverse, and the floor of INDEX with errors, against their definitions (L4)."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import mpmath
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError
from kvfloor.floors import (
    binary_entropy,
    entropy_at_most,
    index_randomized,
    least_error,
    one_bit_success,
    randomised_bits,
)
from kvfloor.index import best_success
from kvfloor.numbers import ball_ends

HALF = Fraction(1, 2)
errors = st.fractions(0, 1, max_denominator=50)


@given(errors)
def test_entropy_is_its_definition_and_symmetric(delta: Fraction) -> None:
    ball = binary_entropy(delta, 200)
    assert ball.overlaps(binary_entropy(1 - delta, 200))
    assert ball.rad() < arb(2) ** -180
    with mpmath.workprec(120):
        terms = [mpmath.mpf(p.numerator) / p.denominator for p in (delta, 1 - delta) if p]
        value = -mpmath.fsum(p * mpmath.log(p, 2) for p in terms)
        low, high = (mpmath.mpf(x.numerator) / x.denominator for x in ball_ends(ball))
        assert low - mpmath.mpf(2) ** -100 < value < high + mpmath.mpf(2) ** -100


def test_entropy_is_exact_where_it_is_rational() -> None:
    assert [binary_entropy(x) for x in (Fraction(0), HALF, Fraction(1))] == [0, 1, 0]


@pytest.mark.parametrize("delta", [Fraction(-1, 9), Fraction(10, 9)])
def test_entropy_refuses(delta: Fraction) -> None:
    with pytest.raises(InputError, match="delta: expected a number with 0 <= delta <= 1"):
        binary_entropy(delta)


@given(st.integers(1, 10**6), st.fractions(0, HALF, max_denominator=1000))
def test_floor_is_the_least_whole_number(size: int, delta: Fraction) -> None:
    least = randomised_bits(size, delta)
    exact = index_randomized(size, binary_entropy(delta, 300))
    assert exact <= least
    assert exact > least - 1


def test_floor_at_the_corners() -> None:
    assert randomised_bits(1000, 0) == 1000
    assert randomised_bits(1000, HALF) == 0
    assert randomised_bits(1000, Fraction(1, 10)) == 532
    hair = HALF - Fraction(1, 10**40)
    assert randomised_bits(1, hair) == 1  # 1 - H₂ is about 10^-80 there, and not 0


@pytest.mark.parametrize(
    ("size", "delta", "argument"),
    [(0, 0, "size"), (3, Fraction(2, 3), "delta"), (3, -1, "delta"), (3, "x", "delta")],
)
def test_floor_refuses_by_name(size: int, delta: object, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        randomised_bits(size, delta)
    assert caught.value.argument == argument


def test_entropy_at_most_decides_equality_and_hair_breadths() -> None:
    assert entropy_at_most(HALF, Fraction(1))
    assert entropy_at_most(Fraction(0), Fraction(0))
    low, high = ball_ends(binary_entropy(Fraction(1, 10), 400))
    hair = Fraction(1, 2**300)
    assert entropy_at_most(Fraction(1, 10), high + hair)
    assert not entropy_at_most(Fraction(1, 10), low - hair)


@given(st.fractions(0, 1, max_denominator=60), st.integers(2, 60))
def test_least_error_is_the_inverse_rounded_down(rate: Fraction, grid_bits: int) -> None:
    error = least_error(rate, grid_bits)
    unit = Fraction(1, 2**grid_bits)
    assert 0 <= error <= HALF
    assert error % unit == 0
    assert entropy_at_most(error, 1 - rate)
    assert error == HALF or not entropy_at_most(error + unit, 1 - rate)


def test_least_error_at_the_corners() -> None:
    assert least_error(Fraction(0)) == HALF
    assert least_error(Fraction(1)) == 0
    for rate in (Fraction(-1, 2), Fraction(3, 2)):
        with pytest.raises(InputError, match="rate"):
            least_error(rate)


@pytest.mark.parametrize("size", range(1, 8))
def test_one_bit_success_is_the_best(size: int) -> None:
    assert one_bit_success(size) == best_success(size, 1)
    # the majority of N bits is right at each of them this often
    majority = sum(comb(size, k) * max(k, size - k) for k in range(size + 1))
    assert one_bit_success(size) == Fraction(majority, size * 2**size)


def test_one_bit_success_refuses() -> None:
    with pytest.raises(InputError, match="size"):
        one_bit_success(0)

"""The entropy, and the floor of caches that may fail: never too large, never rounded (L4, T1)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError
from kvfloor.floors import binary_entropy, randomised_four_cache

deltas = st.fractions(0, Fraction(1, 2), max_denominator=300)


@given(st.fractions(0, 1, max_denominator=300))
def test_entropy_is_its_definition(delta: Fraction) -> None:
    with mpmath.workprec(200):
        p = mpmath.mpf(delta.numerator) / delta.denominator
        terms = [x * mpmath.log(x, 2) for x in (p, 1 - p) if x]
        truth = -mpmath.fsum(terms)
        ball = binary_entropy(delta, 150)
        assert abs(mpmath.mpf(ball.mid().str(60, radius=False)) - truth) < mpmath.mpf(2) ** -140
    assert ball.rad() < arb(2) ** -140


def test_entropy_is_exact_at_its_ends_and_its_middle() -> None:
    for delta, value in ((0, 0), (Fraction(1, 2), 1), (1, 0)):
        assert binary_entropy(Fraction(delta)).is_exact()
        assert binary_entropy(Fraction(delta)) == value


@given(st.integers(1, 10**9), st.integers(1, 200), deltas)
def test_floor_is_the_least_whole_number(n: int, d_v: int, delta: Fraction) -> None:
    with mpmath.workprec(300):
        p = mpmath.mpf(delta.numerator) / delta.denominator
        entropy = -mpmath.fsum(x * mpmath.log(x, 2) for x in (p, 1 - p) if x)
        assert randomised_four_cache(n, d_v, delta) == int(mpmath.ceil(n * d_v * (1 - entropy)))


def test_floor_of_the_paper() -> None:
    """At δ = 1/10 a factor of 0.531; nothing at δ = 1/2; everything at δ = 0."""
    assert randomised_four_cache(1000, 1000, Fraction(1, 10)) == 531005
    assert randomised_four_cache(10**15, 10**15, "1/10") == 531004406410718778746410669617
    assert randomised_four_cache(7, 3, Fraction(1, 2)) == 0
    assert randomised_four_cache(7, 3, 0) == 21


@given(st.integers(1, 1000), deltas, deltas)
def test_floor_falls_as_failures_are_allowed(n: int, first: Fraction, second: Fraction) -> None:
    few, many = sorted((first, second))
    assert randomised_four_cache(n, 8, few) >= randomised_four_cache(n, 8, many)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: binary_entropy(Fraction(-1, 9)), "delta"),
        (lambda: binary_entropy(Fraction(10, 9)), "delta"),
        (lambda: randomised_four_cache(0, 1, 0), "n"),
        (lambda: randomised_four_cache(1, 0, 0), "d_v"),
        (lambda: randomised_four_cache(1, 1, Fraction(51, 100)), "delta"),
        (lambda: randomised_four_cache(1, 1, Fraction(-1, 100)), "delta"),
        (lambda: randomised_four_cache(1, 1, float("nan")), "delta"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument

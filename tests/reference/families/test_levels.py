"""Levels: thresholds part the answers to neighbours at every leak that allows it (S1, S2)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import Guarantee, InputError
from kvfloor.families.levels import Levels, grid, logistic
from kvfloor.floors import greatest_leak, grid_room, leak, symbol_ratio, threshold
from kvfloor.numbers import arb_precision, to_fmpq
from strategies import guarantees

shares = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(99, 100)])


@st.composite
def grids(draw: st.DrawFn) -> Levels:
    L = draw(st.integers(2, 12))
    eta = draw(shares) / (2 * L - 3)
    return grid(L, Guarantee(eta, draw(shares) * (1 - eta * (2 * L - 3)) / (2 * (L - 1))))


def parts(levels: Levels, lam: Fraction) -> bool:
    """Whether the thresholds are right for both ends of what may leak."""
    eta, alpha = levels.guarantee.eta, levels.guarantee.alpha
    answers = [
        (
            (1 - eta) * (1 - lam) * low - alpha,
            (1 + eta) * ((1 - lam) * high + lam) + alpha,
        )
        for low, high in zip(levels.lower, levels.upper, strict=True)
    ]
    return all(levels.decode(o) == k for k, ends in enumerate(answers) for o in ends)


@given(grids(), st.sampled_from([Fraction(0), Fraction(1, 2), 1 - Fraction(1, 10**12)]))
def test_symbols_come_back_up_to_the_greatest_leak(levels: Levels, share: Fraction) -> None:
    most = greatest_leak(levels.guarantee, levels.room)
    assert parts(levels, share * most)
    assert not parts(levels, most)


@given(grids())
def test_room_of_a_grid_is_that_below_1(levels: Levels) -> None:
    assert levels.room == grid_room(levels.guarantee, len(levels.lower))


@given(guarantees())
def test_two_levels_are_bits(guarantee: Guarantee) -> None:
    assert grid(2, guarantee).thresholds == (threshold(guarantee),)
    assert symbol_ratio(guarantee, 7, 1 - guarantee.eta - 2 * guarantee.alpha) == 7 * (
        1 + guarantee.eta + 2 * guarantee.alpha
    ) / (1 - guarantee.eta - 2 * guarantee.alpha)


@given(grids(), st.integers(1, 50))
def test_ratio_is_where_the_leak_is_greatest(levels: Levels, competitors: int) -> None:
    at_the_edge = competitors / symbol_ratio(levels.guarantee, competitors, levels.room)
    assert leak(at_the_edge) == greatest_leak(levels.guarantee, levels.room)


@given(st.integers(2, 9), st.fractions(Fraction(1, 4), 6, max_denominator=4), shares)
def test_logistic_levels(L: int, gamma: Fraction, share: Fraction) -> None:
    levels = logistic(L, gamma, Guarantee())
    for k, (low, high) in enumerate(zip(levels.lower, levels.upper, strict=True)):
        with arb_precision(300):
            true = 1 / (1 + arb(to_fmpq(gamma * (1 - Fraction(k, L - 1)))).exp())
            assert arb(to_fmpq(low)) < true < arb(to_fmpq(high)) or low == high == Fraction(1, 2)
        assert high - low < Fraction(1, 2**120)
    assert parts(levels, share * greatest_leak(levels.guarantee, levels.room))


def test_thresholds_are_the_least_answers_to_the_lower_ends() -> None:
    levels = logistic(3, Fraction(2), Guarantee(Fraction(1, 20)))
    most = greatest_leak(levels.guarantee, levels.room)
    least = tuple(Fraction(19, 20) * (1 - most) * level for level in levels.lower[1:])
    assert levels.thresholds == least


def test_balls_decode_where_they_reveal_one_symbol() -> None:
    levels = grid(3, Guarantee())
    first, second = levels.thresholds
    assert [levels.decode(first), levels.decode(first + Fraction(1, 10**40))] == [0, 1]
    assert [levels.decode(x) for x in (-5, 5)] == [0, 2]
    assert levels.decode(arb(to_fmpq((first + second) / 2))) == 1
    for doubtful in (arb(float(first), 1e-9), arb("nan"), arb("inf")):
        with pytest.raises(InputError, match="a ball that holds answers to one symbol"):
            levels.decode(doubtful)


WEAK = Guarantee(Fraction(1, 5))


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: grid(1, Guarantee()), "L"),
        (lambda: grid(4, WEAK), "guarantee"),  # η(2L-3) = 1
        (lambda: grid(3, Guarantee(alpha=Fraction(1, 4))), "guarantee"),  # 2α(L-1) = 1
        (lambda: logistic(3, Fraction(1), WEAK), "guarantee"),
        (lambda: logistic(3, Fraction(0), Guarantee()), "gamma"),
        (lambda: logistic(1, Fraction(1), Guarantee()), "L"),
        (lambda: grid(3, Guarantee()).decode("x"), "answer"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument

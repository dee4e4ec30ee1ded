"""Counts and constants of both sides of S5, against numbers worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import log2
from typing import Any

import pytest

from kvfloor import InputError
from kvfloor.floors import (
    cells_for,
    errors_of_one_cell,
    gauged_bits,
    gauged_constant,
    gauged_numbers,
    grid_sizes,
    identifiable,
    separated_constant,
    separated_states,
)

HALF = Fraction(1, 2)


def test_a_whole_ratio_leaves_no_room_for_one_more_point() -> None:
    """Spacing 2α/(1-c) or less: at 2α exactly, one answer is within α of both outputs."""
    assert grid_sizes((Fraction(3), Fraction(7, 2), Fraction(1, 9)), Fraction(1)) == (3, 4, 1)
    assert separated_states((Fraction(3), Fraction(7, 2)), HALF) == 6 * 7


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: grid_sizes((HALF,), Fraction(0)), "alpha"),
        (lambda: separated_states((HALF,), Fraction(-1)), "alpha"),
        (lambda: grid_sizes((HALF, Fraction(0)), HALF), "reach[1]"),
        (lambda: separated_constant((HALF, Fraction(-1))), "reach[1]"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument


def test_constant_is_what_the_line_needs() -> None:
    reach = (Fraction(1, 8), Fraction(1, 32), Fraction(3))
    constant = separated_constant(reach)
    assert abs(float(constant.mid()) - (8 - log2(3))) < 1e-12
    for k in range(1, 40):
        states = separated_states(reach, Fraction(1, 2**k))
        assert log2(states) >= 3 * k - float(constant.mid()) - 1e-9
    assert log2(states) < 3 * k - float(constant.mid()) + 1e-9


@pytest.mark.parametrize("shape", list(product((1, 2, 3), (2, 3), (1, 2), (1, 3))))
def test_numbers_in_the_gauge_are_the_rank(shape: tuple[int, int, int, int]) -> None:
    assert sum(gauged_numbers(*shape)) == identifiable(*shape)


def test_bits_in_the_gauge() -> None:
    assert gauged_numbers(2, 3, 5, 7) == (25, 35)
    assert gauged_numbers(1, 3, 5, 7) == (10, 21)
    assert gauged_numbers(2, 0, 5, 7) == (0, 0)
    assert gauged_bits(0, 1, 1, (3, 5)) == 1
    assert gauged_bits(2, 1, 1, (3, 5)) == (2 * 3**3 * 5**3 - 1).bit_length()
    assert gauged_bits(2, 1, 1, (3, 5), order=1) == (2 * 3 * 5**2 - 1).bit_length()


def test_errors_of_one_cell() -> None:
    bounds = {"key_bound": Fraction(2), "value_bound": Fraction(3)}
    found = errors_of_one_cell(Fraction(5), order=2, **bounds, scale=HALF)
    assert found == (HALF * 5 * 2 * 4 * 9, Fraction(18))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_bits_stay_under_the_upper_line(order: int) -> None:
    """By less than 3 bits as α goes to 0, and by not too much at α = 1."""
    bounds = {"key_bound": Fraction(3, 2), "value_bound": Fraction(2)}
    norm, shape = Fraction(7), (3, 2, 2)
    constant = gauged_constant((order, *shape), query_norm=norm, **bounds)
    for k in range(60):
        cells = cells_for(Fraction(1, 2**k), norm, order=order, **bounds)
        below = identifiable(order, *shape) * k + constant - gauged_bits(*shape, cells, order=order)
        assert below >= 0
    errors = errors_of_one_cell(norm, order=order, **bounds)
    slack = sum(
        number * log2((2 * e + 2) / (2 * e))
        for number, e in zip(gauged_numbers(order, *shape), map(float, errors), strict=True)
    )
    assert float(below.mid()) < 2 + slack + 1e-6

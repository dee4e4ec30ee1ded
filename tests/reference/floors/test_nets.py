"""Greedy nets against their definition, and the bounds on them (U1)."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError, khatri_rao
from kvfloor.floors import covering_number, greedy_net, product_radius, squared_distance
from strategies import matrices

Rows = list[list[Fraction]]
points = st.integers(1, 3).flatmap(lambda d: st.integers(1, 12).flatmap(lambda n: matrices(n, d)))


def apart(p: Any, q: Any) -> Fraction:
    return sum(((a - b) ** 2 for a, b in zip(p, q, strict=True)), Fraction(0))


@given(points, st.fractions(Fraction(1, 8), 6, max_denominator=8))
def test_net_is_its_definition(rows: Rows, delta: Fraction) -> None:
    net = greedy_net(rows, delta)
    centres = [rows[index] for index in net.centres]
    assert net.centres[0] == 0
    assert all(apart(p, q) > delta**2 for p, q in combinations(centres, 2))
    for index, (row, place) in enumerate(zip(rows, net.assigned, strict=True)):
        near = [
            k
            for k, c in enumerate(centres)
            if apart(row, c) <= delta**2 and net.centres[k] <= index
        ]
        assert place == near[0]
    radius = max(abs(x) for row in rows for x in row) * len(rows[0])  # >= the norm
    assert len(centres) <= covering_number(radius, delta, len(rows[0]))


@given(st.lists(st.fractions(-3, 3, max_denominator=5), min_size=1, max_size=4), st.data())
def test_squared_distance(p: list[Fraction], data: st.DataObject) -> None:
    q = [data.draw(st.fractions(-3, 3, max_denominator=5)) for _ in p]
    assert squared_distance(tuple(p), tuple(q)) == apart(p, q)


def test_a_point_at_exactly_delta_belongs_to_the_centre() -> None:
    rows = [[0, 0], [3, 4], [3, Fraction(4001, 1000)]]
    assert greedy_net(rows, 5) == ((0, 2), (0, 0, 1))
    assert greedy_net(rows, Fraction(49, 10)) == ((0, 1), (0, 1, 1))


def test_bound_by_hand_and_met_on_a_line() -> None:
    assert covering_number(Fraction(1), Fraction(1, 2), 3) == 125
    rows = [[x] for x in range(-8, 9, 2)]  # 9 points 2 apart, δ just below 2
    delta = Fraction(1999, 1000)
    assert len(greedy_net(rows, delta).centres) == 9
    assert 9 < covering_number(Fraction(8), delta, 1) < Fraction(901, 100)


def test_products_of_centres_are_as_near_as_claimed() -> None:
    first, second = [[2, 0], [3, 0]], [[5, 1], [5, 2]]  # δ = 1; largest entries 3 and 5
    reach = product_radius(3, 1, 5, 1)
    assert reach == 8
    nets = [greedy_net(A, 1) for A in (first, second)]
    assert [net.centres for net in nets] == [(0,), (0,)]
    rows = khatri_rao(first, second)
    centre = rows[0]
    assert all(squared_distance(row, centre) <= reach**2 for row in rows)
    assert product_radius(3, 2, 5, 7) == 31


def test_product_radius_is_attained() -> None:
    """In one dimension: k = R₁ and l = R₂ at the ends, each δ from its centre's coordinate."""
    for k, l_, dk, dl in product((2, 3), (1, 4), (0, 1), (0, 1)):
        far = abs((k + dk) * (l_ + dl) - k * l_)
        assert far <= product_radius(k + dk, dk, l_ + dl, dl)
        assert dk * dl or far == product_radius(k, dk, l_, dl)


@pytest.mark.parametrize(
    ("rows", "delta", "argument"),
    [
        ([[1]], 0, "delta"),
        ([[1]], -1, "delta"),
        ([[1]], float("nan"), "delta"),
        ([], 1, "points"),
        ([[1], [1, 2]], 1, "points[1]"),
    ],
)
def test_bad_input_is_refused_by_name(rows: Any, delta: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        greedy_net(rows, delta)
    assert caught.value.argument == argument

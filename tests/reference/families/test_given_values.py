"""Values that given queries read from given keys: by hand, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import arb

from kvfloor import Guarantee, InputError
from kvfloor.families import GivenValues, told_levels
from kvfloor.floors import given_alpha, mixed_bits

# Read in this order: 1/2 among 1/4 that comes later; 1/2 alone, with 1/4 that came before.
WEIGHTS = [[arb(0.5), arb(0.25)], [arb(0.25), arb(0.5)]]
EXACT = Guarantee(Fraction(0), Fraction(1, 32))


@pytest.mark.parametrize(
    ("successive", "eta", "levels"),
    [
        (True, 0, (2, 8)),  # 1/2 > (L-1)(1/4 + 1/16), and 1/2 > (L-1)/16
        (False, 0, (2, 2)),
        (True, Fraction(1, 9), (2, 3)),
        (False, Fraction(1, 9), (2, 2)),
        (True, Fraction(1, 3), (1, 2)),
        (False, Fraction(1, 3), (1, 1)),
    ],
)
def test_levels_by_hand(successive: bool, eta: Fraction, levels: tuple[int, ...]) -> None:
    guarantee = Guarantee(eta, EXACT.alpha)
    found = [told_levels(row, j, guarantee, successive=successive) for j, row in enumerate(WEIGHTS)]
    assert tuple(found) == levels


def test_what_is_known_costs_twice_its_relative_part() -> None:
    guarantee = Guarantee(Fraction(1, 4), Fraction(1, 16))
    assert given_alpha(guarantee, 2, 1, 1) == Fraction(5 + 2, 16) + Fraction(1, 32)
    assert given_alpha(guarantee, 1, 0, 0) == guarantee.alpha


def test_a_weight_within_its_ball_of_a_threshold_is_not_counted() -> None:
    edge = Fraction(1, 16)  # 1/16 > 2α is false at the edge, and unknown around it
    for radius, L in ((0, 1), (1e-9, 1)):
        assert told_levels([arb(float(edge), radius)], 0, EXACT, successive=True) == L
    assert told_levels([arb(float(edge) * 1.001, 1e-9)], 0, EXACT, successive=True) == 2
    assert told_levels([arb(0)], 0, EXACT, successive=True) == 1
    assert told_levels([arb(0, 1)], 0, EXACT, successive=True) == 1


def test_bits_of_mixed_levels() -> None:
    family = GivenValues(WEIGHTS, EXACT, (2, 8), successive=True)
    assert family.bits(5) == 5 * (1 + 3)
    assert mixed_bits({}) == mixed_bits({3: 0}) == 0
    assert mixed_bits({3: 1, 5: 1}) == 4  # 15 words
    assert mixed_bits({3: 1, 6: 1}) == 5  # 18
    together = GivenValues(WEIGHTS, EXACT, (2, 2), successive=False)
    assert together.bits(50, Fraction(1, 10)) == mixed_bits({2: 100}, Fraction(1, 10)) == 54


def test_reading_in_turn() -> None:
    family = GivenValues(WEIGHTS, EXACT, (2, 8), successive=True)
    assert family.values((1, 3)) == (Fraction(1), Fraction(3, 7))
    first, second = Fraction(1, 2) + Fraction(3, 28), Fraction(1, 4) + Fraction(3, 14)
    for lie in (-EXACT.alpha, 0, EXACT.alpha):
        assert family.decode((first + lie, second - lie)) == (1, 3)
    # taken for 0, the first makes the second read as another
    assert family.decode((0, second)) == (0, 7)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"levels": (2, 9)}, "levels[1]: expected levels that answers tell apart, 8 at most"),
        ({"levels": (3, 8)}, "levels[0]: expected levels that answers tell apart, 2 at most"),
        ({"levels": (1, 8)}, "levels[0]: expected a whole number >= 2"),
        ({"levels": (2,)}, "levels: expected 2 numbers"),
        ({"successive": False}, "levels[1]: expected levels that answers tell apart, 2 at most"),
    ],
)
def test_what_is_not_told_apart_is_refused(terms: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"levels": (2, 8), "successive": True} | terms
    with pytest.raises(InputError) as caught:
        GivenValues(WEIGHTS, EXACT, **given)
    assert str(caught.value).startswith(said)


def test_errors_go_with_reading_at_once_only() -> None:
    with pytest.raises(InputError, match="delta: expected 0"):
        GivenValues(WEIGHTS, EXACT, (2, 8), successive=True).bits(1, Fraction(1, 10))
    with pytest.raises(InputError, match="symbols: expected 2 of them"):
        GivenValues(WEIGHTS, EXACT, (2, 8), successive=True).values((1,))

"""How many levels answers tell apart, and what symbols of so many levels come to (H5, H6)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import Guarantee, InputError
from kvfloor.floors import (
    address_entries,
    equal_room,
    grid_room,
    key_symbols,
    most_levels,
    symbol_bits,
    value_symbols,
    whole_bits,
)


@pytest.mark.parametrize(
    ("eta", "alpha", "most"),
    [
        (0, "1/256", 128),
        (0, "1/257", 129),
        (0, "1/4", 2),
        (0, "1/2", 1),
        ("1/3", "1/3", 1),  # κ = 2 = 1 + η/α: there is no room, exactly
        ("1/3", "1/9", 2),  # κ² = 4 = 1 + η/α
        ("1/3", "10/91", 3),
        ("1/100", "1/256", 64),
    ],
)
def test_most_levels(eta: str, alpha: str, most: int) -> None:
    guarantee = Guarantee(Fraction(eta), Fraction(alpha))
    assert most_levels(guarantee) == most
    assert most == 1 or equal_room(guarantee, most) > 0
    assert equal_room(guarantee, most + 1) <= 0


def test_without_absolute_error_the_number_asked_for_is_the_end() -> None:
    assert most_levels(Guarantee(Fraction(1, 2))) == 2**16
    assert most_levels(Guarantee(), 10**6) == 10**6
    with pytest.raises(InputError, match="at_most: expected a whole number >= 1, got 0"):
        most_levels(Guarantee(), 0)


@given(st.fractions(0, Fraction(1, 9), max_denominator=60), st.integers(2, 40))
def test_equal_room_is_the_grid_or_more(eta: Fraction, L: int) -> None:
    guarantee = Guarantee(eta, Fraction(1, 1000))
    room, grid = equal_room(guarantee, L), grid_room(guarantee, L)
    assert room == grid if eta == 0 or L == 2 else room > grid


@pytest.mark.parametrize(
    ("order", "n", "values", "with_keys"),
    [(1, 5, 40, 5 * 7 + 12), (2, 5, 64, 8 * 9), (3, 2, 24, 24)],
)
def test_symbols(order: int, n: int, values: int, with_keys: int) -> None:
    assert value_symbols(order, n, 8) == values
    assert key_symbols(order, n, 3, 8) == with_keys


def test_entries_that_name_a_key() -> None:
    plain = [address_entries(1, n, tied=False) for n in (1, 2, 3, 100)]
    tied = [address_entries(2, n, tied=True) for n in (2, 3, 4, 100)]
    assert (plain, tied) == ([1, 1, 2, 2], [4, 4, 6, 6])


def test_bits_of_symbols() -> None:
    assert symbol_bits(1000, 2, "1/10") == 532
    assert [symbol_bits(10, L) for L in (2, 3, 4, 128)] == [10, 16, 20, 70]
    assert symbol_bits(0, 7) == symbol_bits(5, 4, "3/4") == 0
    for N in (1, 53, 1000):
        for L in (2, 3, 7, 64, 100):
            assert symbol_bits(N, L) == whole_bits(N, L)


def test_errors_beyond_a_guess_are_refused() -> None:
    with pytest.raises(InputError, match=r"delta: expected a number with 0 <= delta <= 1 - 1/4"):
        symbol_bits(5, 4, "4/5")

"""How often a random instance gets by a cache that is too small, against enumeration (T6)."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from kvfloor import InputError
from kvfloor.floors import all_correct_probability, expected_wrong, states_up_to
from kvfloor.index import CyclicCode, best_success


@pytest.mark.parametrize("bits", range(5))
def test_states_are_counted(bits: int) -> None:
    states = [text for length in range(bits + 1) for text in product("01", repeat=length)]
    assert states_up_to(bits) == len(set(states))


@pytest.mark.parametrize(("size", "bits"), [(2, 0), (2, 1), (2, 2), (3, 1), (3, 2)])
def test_no_encoder_of_all_exceeds_the_probability(size: int, bits: int) -> None:
    most = max(len(set(encoder)) for encoder in product(range(2**bits), repeat=2**size))
    assert all_correct_probability(size, 2**bits) == Fraction(most, 2**size)


def test_probability_by_hand() -> None:
    assert all_correct_probability(100, 2**60) == Fraction(1, 2**40)
    assert all_correct_probability(100, states_up_to(59)) < Fraction(1, 2**40)
    assert all_correct_probability(100, states_up_to(60)) > Fraction(1, 2**40)
    assert all_correct_probability(2, 7) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("bits", [0, 1, 2])
def test_the_best_protocol_errs_as_often_as_expected(size: int, bits: int) -> None:
    b = min(bits, size)
    bound = expected_wrong(size, b)
    assert 0 <= bound <= size * (1 - best_success(size, b))
    assert b or bound == Fraction(size, 2)  # nothing is known: half of the bits


def test_expected_wrong_at_half_the_bits() -> None:
    """H₂(0.11) is just below 1/2, H₂(0.111) just above."""
    assert Fraction(11, 100) < expected_wrong(1000, 500) / 1000 < Fraction(111, 1000)
    assert expected_wrong(7, 7) == 0


def test_large_samples_of_a_code_err_more_than_expected_and_seldom_not_at_all() -> None:
    """Golay: 11 bits under the floor, so of 4000 random x about two are answered right at all."""
    code = CyclicCode("Golay", 23, 0b101011100011)
    rng = random.Random(0)
    sample = [rng.getrandbits(code.size) for _ in range(4000)]
    wrong = [(x ^ code.decode(code.encode(x))).bit_count() for x in sample]
    assert wrong.count(0) < 4000 * 8 * all_correct_probability(23, 2**12)  # Markov: 7 in 8 samples
    assert Fraction(sum(wrong), 4000) > expected_wrong(23, 12)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: all_correct_probability(0, 1), "size"),
        (lambda: all_correct_probability(3, 0), "states"),
        (lambda: expected_wrong(3, 4), "bits"),
        (lambda: expected_wrong(3, -1), "bits"),
        (lambda: expected_wrong(0, 0), "size"),
    ],
)
def test_bad_numbers_are_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument

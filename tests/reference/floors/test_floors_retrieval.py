"""What is certified of the bits behind symbols, from the errors that were counted (H5)."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, log2
from typing import Any

import pytest

from kvfloor import InputError
from kvfloor.floors import certified_bits, length_share, words_within

CONFIDENCE = Fraction(999, 1000)


def certified(**altered: Any) -> Fraction:
    terms: dict[str, Any] = {"instances": 4, "wrong": 0, "longest": 1024, "alike": True}
    return certified_bits(1024, 2, **terms | {"confidence": CONFIDENCE} | altered)


@pytest.mark.parametrize(("size", "L"), [(0, 2), (5, 2), (3, 4)])
def test_words_are_counted(size: int, L: int) -> None:
    for most in range(size + 1):
        near = sum(sum(map(bool, word)) <= most for word in product(range(L), repeat=size))
        assert words_within(size, L, most) == near


def test_many_words_are_enclosed() -> None:
    ball = words_within(4096, 128, 300)
    assert ball.contains(sum(comb(4096, i) * 127**i for i in range(301)))
    assert ball.rad() * 2**100 < ball.mid()


def test_shares_of_all_lengths_add_up() -> None:
    assert 2 * sum(length_share(b) for b in range(1000)) == 1 - Fraction(1, 1001)


def test_without_errors_only_the_doubt_is_lost() -> None:
    doubt = log2(1000 * 2 * 1025 * 1026)
    assert float(certified()) == pytest.approx(1024 - doubt / 4, abs=2**-19)
    assert certified(alike=False) == certified() - 1


def test_errors_cost_bits() -> None:
    words = sum(comb(4096, i) for i in range(41))
    assert float(certified() - certified(wrong=40)) == pytest.approx(log2(words) / 4, abs=2**-18)
    assert certified(wrong=2048) == certified(wrong=4096) == 0


def test_confidence_costs_bits() -> None:
    lost = certified() - certified(confidence=1 - Fraction(1, 1000 * 2**40))
    assert float(lost) == pytest.approx(10, abs=2**-18)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("wrong", 4097),
        ("wrong", -1),
        ("instances", 0),
        ("longest", -1),
        ("confidence", 1),
        ("confidence", 0),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, bad: int) -> None:
    with pytest.raises(InputError, match=rf"^{name}: expected "):
        certified(**{name: bad})

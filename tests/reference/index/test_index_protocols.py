"""Protocols for INDEX that err: exhaustive optimum, codes, and the bounds on both (L4)."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest

from kvfloor import InputError
from kvfloor.index import CyclicCode, best_success


def success_of_encoder(size: int, encoder: tuple[int, ...]) -> Fraction:
    right = 0
    for m in set(encoder):
        cell = [x for x in range(2**size) if encoder[x] == m]
        for k in range(size):
            ones = sum(x >> k & 1 for x in cell)
            right += max(ones, len(cell) - ones)
    return Fraction(right, size * 2**size)


@pytest.mark.parametrize(("size", "bits"), [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)])
def test_best_success_is_that_of_the_best_of_all_encoders(size: int, bits: int) -> None:
    encoders = product(range(2**bits), repeat=2**size)
    assert best_success(size, bits) == max(success_of_encoder(size, e) for e in encoders)


@pytest.mark.parametrize(("size", "bits"), [(3, 2), (4, 1), (4, 2), (5, 1), (4, 0)])
def test_best_success_is_that_of_the_best_of_all_word_sets(size: int, bits: int) -> None:
    def total(words: tuple[int, ...]) -> int:
        return sum(min((x ^ y).bit_count() for y in words) for x in range(2**size))

    least = min(total(words) for words in combinations(range(2**size), 2**bits))
    assert best_success(size, bits) == 1 - Fraction(least, size * 2**size)


def test_enough_bits_never_err() -> None:
    assert best_success(3, 3) == best_success(3, 7) == 1


@pytest.mark.parametrize(("size", "bits", "argument"), [(0, 1, "size"), (2, -1, "bits")])
def test_best_success_refuses_by_name(size: int, bits: int, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        best_success(size, bits)
    assert caught.value.argument == argument


CODES = [
    CyclicCode("repetition", 5, 0b11111),
    CyclicCode("Hamming", 7, 0b1011),
    CyclicCode("its dual", 7, 0b10111),
    CyclicCode("everything", 6, 1),
    CyclicCode("nothing", 3, 0b1001),
    CyclicCode("even", 4, 0b11),
]


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_code_names_the_nearest_word(code: CyclicCode) -> None:
    words = [code.decode(message) for message in range(2**code.bits)]
    assert len(set(words)) == 2**code.bits
    assert all(x ^ y in words for x, y in combinations(words, 2))
    distance = 0
    for x in range(2**code.size):
        message = code.encode(x)
        assert 0 <= message < 2**code.bits
        nearest = min((x ^ word).bit_count() for word in words)
        assert (x ^ code.decode(message)).bit_count() == nearest
        distance += nearest
    assert code.success == 1 - Fraction(distance, code.size * 2**code.size)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda code: code.encode(2**7), "x"),
        (lambda code: code.encode(-1), "x"),
        (lambda code: code.decode(2**4), "message"),
        (lambda code: code.decode(-1), "message"),
    ],
)
def test_what_is_no_input_or_message_is_refused(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call(CODES[1])
    assert caught.value.argument == argument


def test_golay_code_is_perfect() -> None:
    """Balls of radius 3 around its 2^12 words fill the space: 1 + 23 + 253 + 1771 = 2^11."""
    code = CyclicCode("Golay", 23, 0b101011100011)
    assert code.bits == 12
    assert code.success == 1 - Fraction(23 + 2 * 253 + 3 * 1771, 2**11 * 23)


def test_a_generator_must_divide() -> None:
    with pytest.raises(InputError) as caught:
        CyclicCode("none", 8, 0b1011)
    assert caught.value.argument == "generator"
    assert caught.value.got == "0b1011"
    with pytest.raises(InputError, match="generator"):
        CyclicCode("none", 8, 0)

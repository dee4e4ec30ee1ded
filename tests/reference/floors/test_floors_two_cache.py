"""Bounds of T2 against sizes that are counted, and the example of n = 32 in full."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from kvfloor import BinaryValues, binary_keys, khatri_rao
from kvfloor.caches import pack, write_bits
from kvfloor.families import attend_to
from kvfloor.floors import packed_bits, packed_numbers, two_cache


@pytest.mark.parametrize(("n", "d", "d_v"), [(1, 1, 1), (2, 3, 1), (5, 2, 4)])
@pytest.mark.parametrize("width", [2, 7])
def test_sizes_are_those_of_packed_pairs(n: int, d: int, d_v: int, width: int) -> None:
    keys, values = ([[[1] * columns] * n] * 2 for columns in (d, d_v))
    pair = [pack(khatri_rao(*factors), (n, n)) for factors in (keys, values)]
    assert sum(packed.numbers for packed in pair) == packed_numbers(n, d, d_v)
    size = sum(len(write_bits(packed, width)) for packed in pair)
    assert size == packed_bits(n, d, d_v, width, (n * n).bit_length())


def test_four_n_minus_two_d() -> None:
    assert all(packed_numbers(n, 7, 7) == (4 * n - 2) * 7 for n in range(1, 20))


def test_packed_pair_against_the_unstructured_floor() -> None:
    """Two-bit entries: fewer bits than n²·d from n = 10 on, and an ever smaller part of it."""
    parts = [
        Fraction(packed_bits(n, 1, 1, 2, (n * n).bit_length()), two_cache(n, 1))
        for n in range(1, 200)
    ]
    assert [n for n, part in enumerate(parts, start=1) if part >= 1] == list(range(1, 10))
    assert parts[-1] < Fraction(1, 20)


@pytest.mark.parametrize(("n", "bits"), [(8, 1024), pytest.param(24, 9216, marks=pytest.mark.long)])
def test_rows_of_16_bits_come_back(n: int, bits: int) -> None:
    family = BinaryValues(binary_keys(n**2), 16, order=1)
    assert family.size == two_cache(n, 16) == bits
    drawn = random.Random(0).getrandbits(family.size)
    x = tuple(drawn >> k & 1 for k in range(family.size))
    attention = attend_to(family.encode(x))
    recovered = [
        bit for i in range(family.n) for bit in family.decode(attention(family.query(i)).enclose())
    ]
    assert tuple(recovered) == x

"""Spherical codes: sizes, angles, rounding; E8's 240 keys recover every bit (L5)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from flint import arb, fmpq

from kvfloor import (
    AddressBook,
    BinaryValues,
    InputError,
    axes,
    greedy_code,
    polygon,
    roots_d,
    roots_e8,
)
from kvfloor.families import attend_to
from kvfloor.floors import greedy_size
from kvfloor.numbers import arb_precision


def dot(u: tuple[int, ...], v: tuple[int, ...]) -> int:
    return sum(a * b for a, b in zip(u, v, strict=True))


def inner_products(book: AddressBook) -> Counter[int]:
    return Counter(dot(u, v) for u, v in combinations(book.keys, 2))


@pytest.mark.parametrize("d", range(2, 9))
def test_roots_of_d(d: int) -> None:
    book = roots_d(2 * d * (d - 1))
    assert (book.n, book.d) == (2 * d * (d - 1), d)
    assert len(set(book.keys)) == book.n
    assert {dot(k, k) for k in book.keys} == {2}
    assert max(inner_products(book)) == (1 if d > 2 else 0)
    assert book.margin == (1 if d > 2 else 2)
    with pytest.raises(InputError, match=rf"^d: expected at least {d + 1} for {book.n + 1} roots"):
        roots_d(book.n + 1, d)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_signed_axes(d: int) -> None:
    book = axes(2 * d)
    assert (book.n, book.d, book.margin, book.norms_squared) == (2 * d, d, 2 if d == 1 else 1, 1)
    assert set(inner_products(book)) <= {0, -1}
    with pytest.raises(InputError, match=rf"^d: expected at least {d + 1}"):
        axes(2 * d + 1, d)


def test_roots_of_e8() -> None:
    """Each root has inner products 2, 1, 0, -1, -2 (here times 4) with 1, 56, 126, 56, 1."""
    book = roots_e8()
    assert (book.n, book.d, book.margin, book.zero_margin) == (240, 8, 4, 8)
    for u in book.keys:
        counts = Counter(dot(u, v) for v in book.keys)
        assert counts == {8: 1, 4: 56, 0: 126, -4: 56, -8: 1}


@pytest.mark.parametrize("order", [1, 2])
def test_all_keys_of_e8_recover_their_bits(order: int) -> None:
    """All 240 at order 1; at order 2, with 57,600 tuples a query, every 40th."""
    family = BinaryValues(roots_e8(), d_v=2, order=order)
    bits = tuple((k * k + k // 7) % 2 for k in range(family.size))
    attention = attend_to(family.encode(bits))
    for i in range(0, 240, 1 if order == 1 else 40):
        assert family.decode(attention(family.query(i)).enclose()) == family.row(bits, i)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 12, 17, 100])
def test_polygon_loses_little_by_rounding(n: int) -> None:
    book, radius = polygon(n), 8 * n**2
    with arb_precision(200):
        ideal = radius**2 * (1 - arb.cos_pi_fmpq(fmpq(2, n)))
        assert abs(ideal - book.margin) <= fmpq(3, 64) * ideal
        for j, (x, y) in enumerate(book.keys):
            assert abs(x - radius * arb.cos_pi_fmpq(fmpq(2 * j, n))) < 0.501
            assert abs(y - radius * arb.sin_pi_fmpq(fmpq(2 * j, n))) < 0.501


@pytest.mark.parametrize("d", [2, 3, 4, 6])
@pytest.mark.parametrize("cosine", [Fraction(0), Fraction(1, 3), Fraction(4, 5)])
def test_greedy_code_has_its_size_and_angle(d: int, cosine: Fraction) -> None:
    book = greedy_code(d, cosine, seed=d)
    assert (book.n, book.d, book.name) == (greedy_size(d, cosine), d, "greedy")
    with arb_precision(200):
        for u, v in combinations(book.keys, 2):
            norms = arb(dot(u, u)).sqrt() * arb(dot(v, v)).sqrt()
            assert not dot(u, v) > norms * fmpq(cosine.numerator, cosine.denominator)
    assert book == greedy_code(d, cosine, seed=d)


def test_greedy_code_may_be_asked_for_more() -> None:
    assert greedy_code(3, Fraction(1, 2), size=9).n == 9 > greedy_size(3, Fraction(1, 2))
    with pytest.raises(InputError, match=r"^draws: expected enough for 5 keys, \d found, got 300$"):
        greedy_code(2, Fraction(1, 2) - Fraction(1, 10), size=5, draws=300)  # 66.4° · 5 > 330°


@pytest.mark.parametrize(
    ("make", "argument", "expected"),
    [
        (lambda: polygon(0), "n", "a whole number >= 1"),
        (lambda: axes(0), "n", "a whole number >= 1"),
        (lambda: roots_d(1, 1), "d", "at least 2 for 1 roots"),
        (lambda: roots_e8(241), "n", "at most 240, the roots there are"),
        (lambda: roots_e8(0), "n", "a whole number >= 1"),
        (lambda: greedy_code(1, Fraction(0)), "d", "a whole number >= 2"),
        (lambda: greedy_code(3, Fraction(1)), "cosine", "a number with 0 <= cosine < 1"),
        (lambda: greedy_code(3, Fraction(-1, 2), size=2), "cosine", "a number with 0 <= cosine"),
        (lambda: greedy_code(3, Fraction(0), draws=0), "draws", "a whole number >= 1"),
        (lambda: greedy_code(3, Fraction(0), size=0), "size", "a whole number >= 1"),
    ],
)
def test_arguments_refused(make: Any, argument: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.argument == argument
    assert caught.value.expected.startswith(expected)

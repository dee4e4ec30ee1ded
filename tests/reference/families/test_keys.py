"""Address books: margins against brute force, dimensions least, wrong books refused (L5)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import AddressBook, InputError, binary_keys, orthonormal, parabola, sign_keys
from kvfloor.families.keys.book import certified_margins
from strategies import BOOKS, make_book


def brute_force_margins(keys: Any, directions: Any) -> tuple[Any, Any]:
    """The least direction·(key - other), and the same over a zero key, term by term."""

    def dot(a: Any, b: Any) -> Fraction:
        return sum((Fraction(x) * y for x, y in zip(a, b, strict=True)), Fraction(0))

    over_zero = min(dot(q, k) for q, k in zip(directions, keys, strict=True))
    others = [
        dot(q, keys[i]) - dot(q, k)
        for i, q in enumerate(directions)
        for j, k in enumerate(keys)
        if i != j
    ]
    return min(others, default=over_zero), over_zero


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9, 16])
@pytest.mark.parametrize("name", BOOKS)
def test_margin_is_brute_force(name: str, n: int) -> None:
    book = make_book(name, n)
    assert (book.margin, book.zero_margin) == brute_force_margins(book.keys, book.directions)
    assert book.margin > 0
    assert book.zero_margin > 0
    assert (book.name, book.n, book.d) == (name, n, len(book.keys[-1]))
    assert len(set(book.keys)) == n


def test_margins_are_those_of_the_theory() -> None:
    for n in (2, 3, 7, 16):
        assert orthonormal(n).margin == 1
        assert orthonormal(n).zero_margin == 1
        assert binary_keys(n).margin == 2
        assert binary_keys(n).zero_margin == binary_keys(n).d
        assert parabola(n).margin == 1
        assert parabola(n).zero_margin == 1
        assert orthonormal(n).d == n
        assert parabola(n).d == 2


matrices = st.integers(1, 3).flatmap(
    lambda d: st.lists(
        st.tuples(*[st.tuples(*[st.integers(-5, 5)] * d)] * 2), min_size=1, max_size=5
    )
)


@given(matrices, st.sampled_from((1, 2**29, 2**40, 10**30)))
def test_certified_margins_of_any_whole_keys(
    rows: list[tuple[tuple[int, ...], tuple[int, ...]]], unit: int
) -> None:
    keys = tuple(tuple(unit * x for x in key) for key, _ in rows)
    directions = tuple(tuple(unit * x + 1 for x in q) for _, q in rows)
    assert certified_margins(keys, directions) == brute_force_margins(keys, directions)


@given(matrices)
def test_certified_exactly_when_the_margin_is_positive(
    rows: list[tuple[tuple[int, ...], tuple[int, ...]]],
) -> None:
    keys, directions = tuple(k for k, _ in rows), tuple(q for _, q in rows)
    margin, _ = brute_force_margins(keys, directions)
    if margin > 0:
        assert AddressBook.certified("some", keys, directions).margin == margin
    else:
        with pytest.raises(InputError, match=f"some with a margin of {margin}$"):
            AddressBook.certified("some", keys, directions)


@pytest.mark.parametrize(
    ("keys", "directions"),
    [
        (((1, 1), (1, 1)), ((1, 1), (1, 1))),  # two keys alike: margin 0
        (((1,), (2,)), ((1,), (1,))),  # longer, not different: margin -1
        (((0,),), ((1,),)),  # one key, no different from the self token's
    ],
)
def test_wrong_book_refused(keys: Any, directions: Any) -> None:
    with pytest.raises(InputError) as caught:
        AddressBook.certified("wrong", keys, directions)
    assert caught.value.argument == "keys"
    assert caught.value.expected == "keys of which each is singled out by its query"


@pytest.mark.parametrize("n", range(1, 34))
def test_binary_dimension_is_least(n: int) -> None:
    book = binary_keys(n)
    assert book.d == max(1, ceil(log2(n)))
    assert 2**book.d >= n
    assert book.d == 1 or 2 ** (book.d - 1) < n
    if book.d > 1:
        with pytest.raises(InputError) as caught:
            binary_keys(n, book.d - 1)
        assert caught.value.argument == "d"
        assert caught.value.expected == f"at least {book.d} for {n} different rows of signs"


def test_binary_keys_in_more_dimensions() -> None:
    book = binary_keys(5, 6)
    assert (book.n, book.d, book.margin) == (5, 6, 2)
    assert {x for key in book.keys for x in key} == {-1, 1}


@pytest.mark.parametrize("name", BOOKS)
def test_norms_are_the_largest(name: str) -> None:
    book = make_book(name, 7)
    norms = [max(sum(x * x for x in row) for row in rows) for rows in (book.keys, book.directions)]
    assert book.norms_squared == norms[0] * norms[1]
    assert parabola(2).norms_squared == (4 + 16) * (16 + 1)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True))
def test_part_of_a_book_is_a_book(addresses: list[int]) -> None:
    book = parabola(7)
    part = book.restricted(addresses)
    assert part.keys == tuple(book.keys[i] for i in addresses)
    assert part.directions == tuple(book.directions[i] for i in addresses)
    assert (part.margin, part.zero_margin) == brute_force_margins(part.keys, part.directions)
    assert (part.name, part.margin >= book.margin) == ("part of parabola", True)


@pytest.mark.parametrize("addresses", [(), (3,), (-1,), (0, 7)])
def test_part_without_such_addresses_refused(addresses: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        parabola(3).restricted(addresses)
    assert (caught.value.argument, caught.value.expected) == ("addresses", "at least one of 0 to 2")


@given(st.integers(2, 6), st.integers(8, 14), st.integers(0, 50))
def test_sign_keys_have_the_margin_asked_for(n: int, d: int, seed: int) -> None:
    book = sign_keys(n, d, seed=seed, margin=4)
    assert book.margin >= 4
    largest = max(
        sum(a * b for a, b in zip(x, y, strict=True))
        for i, x in enumerate(book.keys)
        for y in book.keys[:i]
    )
    assert book.margin == d - largest
    assert book == sign_keys(n, d, seed=seed, margin=4)


def test_sign_keys_draw_again_and_give_up() -> None:
    with pytest.raises(InputError, match=r"one of 1 draws has margin 2, got 3$"):
        sign_keys(8, 3, draws=1)
    assert sign_keys(8, 3, draws=3000).margin == 2
    with pytest.raises(InputError, match=r"^d: .* one of 50 draws has margin 2, got 2$"):
        sign_keys(5, 2, draws=50)  # only four rows differ


def test_sign_keys_are_drawn_until_the_margin_is_there() -> None:
    assert {sign_keys(5, 8, seed=seed).margin for seed in range(20)} >= {2, 4}
    assert {sign_keys(5, 8, seed=seed, margin=4).margin for seed in range(20)} <= {4, 6}


def test_sign_keys_seeds_differ() -> None:
    assert sign_keys(4, 30, seed=1) != sign_keys(4, 30, seed=2)


@pytest.mark.parametrize(
    ("make", "argument", "expected"),
    [
        (lambda: orthonormal(0), "n", "a whole number >= 1"),
        (lambda: orthonormal(True), "n", "a whole number >= 1"),
        (lambda: binary_keys(0), "n", "a whole number >= 1"),
        (lambda: binary_keys(2, 0), "d", "a whole number >= 1"),
        (lambda: parabola(0), "n", "a whole number >= 1"),
        (lambda: parabola(2.0), "n", "a whole number >= 1"),  # type: ignore[arg-type]
        (lambda: sign_keys(0, 3), "n", "a whole number >= 1"),
        (lambda: sign_keys(2, 0), "d", "a whole number >= 1"),
        (lambda: sign_keys(2, 3, seed=-1), "seed", "a whole number >= 0"),
        (lambda: sign_keys(2, 3, margin=0), "margin", "a whole number >= 1"),
        (lambda: sign_keys(2, 3, draws=0), "draws", "a whole number >= 1"),
    ],
)
def test_arguments_refused(make: Any, argument: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert (caught.value.argument, caught.value.expected) == (argument, expected)

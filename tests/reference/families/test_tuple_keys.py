"""Address books for tuples: products, margins, directions, against attention itself (L5)."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import pytest

from kvfloor import (
    ExactAttention,
    InputError,
    TupleBook,
    binary_keys,
    parabola,
    sign_keys,
    sign_tuples,
    tuple_keys,
)
from strategies import BOOKS, make_book


def brute_force_margins(book: TupleBook) -> tuple[int, int]:
    rows = {
        address: [prod(book.keys[r][j][c] for r, j in enumerate(address)) for c in range(book.d)]
        for address in book.addresses()
    }
    logit = {
        (a, b): sum(x * y for x, y in zip(book.direction(a), rows[b], strict=True))
        for a, b in product(rows, repeat=2)
    }
    own = min(logit[a, a] for a in rows)
    return min((logit[a, a] - logit[a, b] for a, b in logit if a != b), default=own), own


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", BOOKS)
def test_margins_in_blocks(name: str, order: int) -> None:
    slot = make_book(name, 4)
    book = tuple_keys(slot, order)
    assert brute_force_margins(book) == (book.margin, book.zero_margin)
    assert (book.margin, book.zero_margin) == (slot.margin, order * slot.zero_margin)
    assert (book.order, book.lengths, book.d) == (order, (4,) * order, order * slot.d)
    assert book.name == f"{name} in {order} blocks"


@pytest.mark.parametrize("order", [1, 2, 3])
def test_margins_of_random_signs(order: int) -> None:
    book = sign_tuples(3, 40, order=order, seed=order, margin=8)
    assert brute_force_margins(book) == (book.margin, book.zero_margin)
    assert book.margin >= 8
    assert book.zero_margin == book.d == 40
    assert len(set(book.keys)) == order
    assert {x for K in book.keys for key in K for x in key} == {-1, 1}


def test_binary_pairs_are_those_of_the_theory() -> None:
    slot, ones = binary_keys(5), (1, 1, 1)
    book = tuple_keys(slot, 2)
    assert book.d == 2 * 3
    for j, k in product(range(5), repeat=2):
        assert book.keys[0][j] == (*slot.keys[j], *ones)
        assert book.keys[1][k] == (*ones, *slot.keys[k])
        assert book.direction((j, k)) == (*slot.keys[j], *slot.keys[k])


def test_parabola_pairs_are_those_of_the_theory() -> None:
    book = tuple_keys(parabola(4), 2)
    assert book.keys[0] == tuple((j, -j * j, 1, 1) for j in range(1, 5))
    assert book.keys[1] == tuple((1, 1, k, -k * k) for k in range(1, 5))
    assert book.direction((1, 2)) == (4, 1, 6, 1)


def test_margin_is_that_of_attention() -> None:
    """Each query's logits, as attention itself computes them, part by the margin."""
    book = sign_tuples(3, 24, seed=5)
    attention = ExactAttention(book.keys, [[[1]] * 3] * 2)
    gaps = []
    for address in book.addresses():
        top, second, *_ = attention(book.direction(address)).logits
        assert attention(book.direction(address)).counts[0] == 1
        gaps.append(top - second)
    assert min(gaps) == book.margin


def test_products_are_an_address_book() -> None:
    book = tuple_keys(binary_keys(32), 2)
    assert (book.products.n, book.products.d, book.margin) == (1024, 10, 2)
    assert book.products.directions[33] == book.direction((1, 1))


def test_seeds_and_order_one() -> None:
    assert sign_tuples(4, 12, seed=1) != sign_tuples(4, 12, seed=2)
    assert sign_tuples(4, 12, order=1, seed=3).products.keys == sign_keys(4, 12, seed=3).keys


@pytest.mark.parametrize(
    ("make", "argument", "expected"),
    [
        (lambda b: b.direction((0,)), "address", "2 rows, one a slot"),
        (lambda b: b.direction((0, 3)), "address[1]", "a whole number below 3"),
        (lambda b: b.direction((-1, 0)), "address[0]", "a whole number >= 0"),
        (lambda b: tuple_keys(parabola(2), 0), "order", "a whole number >= 1"),
        (lambda b: sign_tuples(2, 4, order=0), "order", "a whole number >= 1"),
        (lambda b: sign_tuples(3, 2, draws=5), "d", "a dimension where one of 5 draws has mar"),
        (
            lambda b: TupleBook.certified("alike", (((1,), (1,)),), ((1,), (1,))),
            *("keys", "keys of which each is singled out by its query"),
        ),
    ],
)
def test_refused_by_name(make: Any, argument: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        make(tuple_keys(parabola(3), 2))
    assert caught.value.argument == argument
    assert caught.value.expected.startswith(expected)

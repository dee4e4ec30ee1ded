"""Address books of pairs: margins recomputed pair by pair (L5, S2)."""

from __future__ import annotations

from itertools import product
from operator import mul

import pytest

from kvfloor import InputError
from kvfloor.families import PairBook, binary_pairs, sign_pairs
from kvfloor.families.keys.book import IntMatrix
from kvfloor.families.keys.tuples import row_products


def certified(name: str, first: IntMatrix, second: IntMatrix) -> PairBook:
    """The book whose queries are the products of the keys."""
    products = row_products((first, second))
    return PairBook.certified(name, (first, second), products)


BOOKS = [binary_pairs(2), binary_pairs(5), sign_pairs(2, 8), sign_pairs(4, 24, seed=3)]
BOOKS += [certified("swapped", *reversed(book.keys)) for book in BOOKS[2:]]


def dot(x: tuple[int, ...], y: tuple[int, ...]) -> int:
    return sum(map(mul, x, y))


def logits(book: PairBook, query: tuple[int, ...]) -> dict[tuple[int, int], int]:
    """Straight from D1."""
    first, second = book.keys
    return {
        (j, k): sum(a * x * y for a, x, y in zip(query, first[j], second[k], strict=True))
        for j, k in product(range(book.n), repeat=2)
    }


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: f"{b.name}-{b.n}")
def test_margin_is_the_least_gap(book: PairBook) -> None:
    gaps = []
    for pair in product(range(book.n), repeat=2):
        found = logits(book, book.direction(pair))
        gaps.append(found.pop((pair[0], pair[1])) - max(found.values()))
    assert min(gaps) == book.margin > 0


@pytest.mark.parametrize("book", BOOKS, ids=lambda b: f"{b.name}-{b.n}")
def test_tie_margin_is_the_least_gap_below_two_equal_tops(book: PairBook) -> None:
    gaps = []
    for pair in [*((j, 0) for j in range(1, book.n)), *((0, k) for k in range(1, book.n))]:
        found = logits(book, book.tie(pair))
        top, second = found.pop((0, 0)), found.pop(pair)
        assert top == second
        gaps.append(top - max(found.values()))
    assert min(gaps) == book.tie_margin


def test_numbers_of_the_families() -> None:
    assert [(b.d, b.margin) for b in map(binary_pairs, (2, 4, 5))] == [(2, 2), (4, 2), (6, 2)]
    assert [binary_pairs(n).tie_margin for n in (3, 4)] == [4, 0]
    book = sign_pairs(8, 32)
    assert book.tie_margin >= 2
    rows = [book.direction((j, k)) for j, k in product(range(8), repeat=2)]
    largest = max(abs(dot(x, y)) for i, x in enumerate(rows) for y in rows[:i])
    assert book.d <= 3 * largest  # so a > 3·μ is not necessary
    small = sign_pairs(3, 16)
    inner = {dot(x, y) for x, y in product(small.products.keys, repeat=2) if x != y}
    assert small.tie_margin >= 16 - 3 * max(map(abs, inner))


def test_a_tie_of_different_logits_has_no_margin() -> None:
    assert (
        certified("uneven", ((1, 1, 0, 0), (0, 0, 2, 2)), ((1, 0, 1, 0), (0, 1, 0, 1))).tie_margin
        == 0
    )


def test_a_seed_is_a_book() -> None:
    assert sign_pairs(3, 16, seed=1) == sign_pairs(3, 16, seed=1) != sign_pairs(3, 16, seed=2)


def test_the_least_margin_accepted_is_the_one_asked_for() -> None:
    book = sign_pairs(2, 8, seed=2, draws=1)
    assert sign_pairs(2, 8, seed=2, draws=1, tie_margin=book.tie_margin) == book
    with pytest.raises(InputError, match="tie_margin=5"):
        sign_pairs(2, 8, seed=2, draws=1, tie_margin=book.tie_margin + 1)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: certified("equal", ((1,), (1,)), ((1,), (1,))), "keys"),
        (lambda: certified("uneven", ((1,),), ((1,), (1,))), "keys"),
        (lambda: binary_pairs(3).tie((0, 3)), "address[1]"),
        (lambda: sign_pairs(1, 8), "n"),
        (lambda: sign_pairs(2, 0), "d"),
        (lambda: sign_pairs(2, 8, tie_margin=0), "tie_margin"),
        (lambda: sign_pairs(2, 8, draws=0), "draws"),
        (lambda: sign_pairs(8, 6), "d"),
        (lambda: binary_pairs(1), "n"),
    ],
)
def test_refused_by_name(call: object, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.argument == argument

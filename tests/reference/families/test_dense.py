"""The family `dense`: levels as near as answers allow, in values and keys, at every order."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

import pytest
from flint import arb

from kvfloor import Guarantee, InputError
from kvfloor.families import (
    AddressBook,
    Dense,
    TieBook,
    attend_to,
    axes,
    binary_keys,
    orthonormal,
    parabola,
    polygon,
    tied_keys,
    tuple_keys,
)
from kvfloor.floors import exceeds_log, most_levels, symbol_ratio
from kvfloor.numbers import ball_ends

FINE = Guarantee(Fraction(1, 100), Fraction(1, 64))


def worst(output: arb, guarantee: Guarantee, sign: int) -> Fraction:
    """The accurate answer that is furthest to one side."""
    return ball_ends(output)[0 if sign > 0 else 1] * (1 + sign * guarantee.eta) + (
        sign * guarantee.alpha
    )


def read(family: Dense, x: tuple[int, ...], sign: int) -> tuple[int, ...]:
    attention = attend_to(family.encode(x))
    found: list[int] = []
    for address in range(family.addresses):
        outputs = attention(family.query(address)).enclose(256)
        answers = [worst(o, family.guarantee, sign) if sign else o for o in outputs]
        symbols = family.decode(address, answers)
        assert symbols == family.row(x, address)
        found += symbols
    return tuple(found)


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda: Dense(tuple_keys(parabola(5), 1), 3), 15),
        (lambda: Dense(tuple_keys(polygon(4), 2), 2, L=9), 12),
        (lambda: Dense(tied_keys(parabola(4)), 3, 2, 25, FINE), 18),
        (lambda: Dense(tied_keys(parabola(3), 2), 4, 2, 25, FINE), 24),
        (lambda: Dense(tied_keys(binary_keys(2), 2), 2, 1, 5, FINE), 4),
        (lambda: Dense(tied_keys(axes(1), 3), 3, 2, 3, FINE), 6),
    ],
)
def test_symbols_come_back(make: Callable[[], Dense], size: int) -> None:
    family = make()
    assert family.size == size
    drawn = random.Random(size)
    for fill in (0, family.L - 1, None):
        x = tuple(drawn.randrange(family.L) if fill is None else fill for _ in range(size))
        for sign in (0, 1, -1):
            assert read(family, x, sign) == x


def test_instance_is_that_of_the_theorem() -> None:
    family = Dense(tied_keys(parabola(2)), 2, 1, 3)
    rows = family.encode((0, 1, 2, 2, 0))
    half, low, high = Fraction(1, 2), *(family.payloads[k] for k in (2, 0))
    assert [token.values[0] for token in rows] == [(0, 0), (1, half), (1, 1)]
    assert [token.keys[0] for token in rows] == [(0, 0, 1, 1), (1, -1, 0, low), (2, -4, 0, high)]
    C = family.multiplier
    assert family.query(1) == (2 * C, C, 0, 0)
    assert family.query(4) == (4 * C, C, 4 * C, family.strength)
    assert family.payloads == tuple(2 - x for x in reversed(family.payloads))  # symmetric about 1


def test_the_multiplier_is_the_least() -> None:
    family = Dense(tied_keys(parabola(3), 2), 3, 2, 25, FINE)
    ratio = Fraction(symbol_ratio(FINE, 14, family.payload_levels.room))
    assert family.lift == family.strength * (max(family.payloads) ** 2 - 1)
    assert exceeds_log(family.multiplier - family.lift, ratio)
    assert not exceeds_log(family.multiplier - 1 - family.lift, ratio)


def test_no_more_levels_than_answers_tell_apart() -> None:
    most = most_levels(FINE)
    Dense(tied_keys(parabola(1)), 1, 1, most, FINE)
    with pytest.raises(InputError, match=f"guarantee: expected .* {most + 1} levels apart"):
        Dense(tied_keys(parabola(1)), 1, 1, most + 1, FINE)


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(InputError, match="book: expected a TieBook, to read payloads"):
        Dense(tuple_keys(parabola(2), 1), 2, 1)
    with pytest.raises(InputError, match="d_v: expected a whole number >= 2, got 1"):
        Dense(tied_keys(parabola(2), 2), 1, 1)
    with pytest.raises(InputError, match="address: expected a whole number below 7, got 7"):
        Dense(tied_keys(parabola(2)), 2, 2).query(7)
    with pytest.raises(InputError, match="answer: expected 2 entries, got 1"):
        Dense(tied_keys(parabola(2)), 2, 2).decode(0, [0])


def test_ties() -> None:
    book = tied_keys(parabola(3), 2)
    assert isinstance(book, TieBook)
    assert (book.n, book.d, book.margin, book.tie_margin) == (4, 8 - 2, 1, 1)
    for slot, row in ((0, 2), (1, 3)):
        query = book.tie(slot, row)
        logits = {
            place: sum(x * y for x, y in zip(query, key, strict=True))
            for place, key in zip(book.addresses(), book.products.keys, strict=True)
        }
        top = max(logits.values())
        tied = {place for place, logit in logits.items() if logit == top}
        assert tied == {(0, 0), (row, 0) if slot == 0 else (0, row)}
    with pytest.raises(InputError, match="row: expected a whole number from 1 to 3, got 0"):
        book.tie(0, 0)
    with pytest.raises(InputError, match="slot: expected a whole number below 2, got 2"):
        book.tie(2, 1)
    assert tied_keys(orthonormal(2)).d == 3
    shifted = AddressBook.certified("shifted", ((-1,), (-2,)), ((1,), (-1,)))
    with pytest.raises(InputError, match="book: expected keys with a positive margin over a key"):
        tied_keys(shifted)

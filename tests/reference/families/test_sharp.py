"""The family `sharp`: symbols in keys and values all come back (S2)."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import Guarantee, InputError
from kvfloor.families import Sharp, attend_to, binary_pairs, sign_pairs, stack, tightness
from kvfloor.families.sharp import strength
from kvfloor.floors import (
    exceeds_log,
    least_multiplier,
    room,
    sharp_symbols,
    strength_ratio,
    symbol_ratio,
)
from kvfloor.numbers import ball_ends

TIGHT = Guarantee(Fraction(1, 100), Fraction(1, 200))


def recovered(family: Sharp, x: tuple[int, ...], sign: int) -> int:
    """Symbols that come back, from answers at one edge of the guarantee."""
    attention = attend_to(family.encode(x))
    eta, alpha = family.guarantee.eta, family.guarantee.alpha
    found = 0
    for address in range(family.addresses):
        outputs: list[Any] = attention(family.query(address)).enclose()
        if sign:
            nearer = [ball_ends(o)[0 if sign > 0 else 1] for o in outputs]
            outputs = [o * (1 + sign * eta) + sign * alpha for o in nearer]
        answered = family.decode(address, outputs)
        found += sum(s == t for s, t in zip(answered, family.row(x, address), strict=True))
    return found


@pytest.mark.parametrize(
    ("n", "a", "b", "d_v", "symbols"),
    [(3, 16, 24, 40, 248), pytest.param(8, 32, 64, 96, 2212, marks=pytest.mark.long)],
)
def test_every_symbol_of_the_examples(n: int, a: int, b: int, d_v: int, symbols: int) -> None:
    family = Sharp(sign_pairs(n, a), b, d_v, 16)
    drawn = random.Random(2503)
    x = tuple(drawn.randrange(16) for _ in range(family.size))
    assert family.size == sharp_symbols(n, b, d_v) == symbols
    assert family.bits == 4 * symbols
    assert recovered(family, x, 0) == symbols


@given(
    st.data(),
    st.sampled_from([(2, Guarantee()), (4, TIGHT), (5, Guarantee(alpha=Fraction(1, 200)))]),
)
def test_symbols_come_back_from_the_worst_answers(
    data: st.DataObject, grid: tuple[int, Guarantee]
) -> None:
    family = Sharp(sign_pairs(3, 16), 2, 3, *grid)
    x = data.draw(st.tuples(*[st.integers(0, family.L - 1)] * family.size))
    for sign in (0, 1, -1):
        assert recovered(family, x, sign) == family.size


def test_extreme_instances_come_back_at_the_edge() -> None:
    family = Sharp(sign_pairs(3, 16), 2, 3, 4, TIGHT)
    for symbol in range(4):
        for sign in (1, -1):
            assert recovered(family, (symbol,) * family.size, sign) == family.size


def test_instance_is_that_of_the_theorem() -> None:
    family = Sharp(sign_pairs(2, 8), 2, 3, 3)
    keys, values = stack(family.encode((0, 1, 2, 1, 0, 2)))
    half = Fraction(1, 2)
    first, second = family.book.keys
    assert keys[0] == [(*first[0], 1, 1), (*first[1], 1, half)]
    assert keys[1] == [(*second[0], 1, 1), (*second[1], 0, 1)]
    assert values[0] == [(0, 1, 1), (1, 1, 0)]
    assert values[1] == [(1, 0, 1), (1, 1, half)]
    C, gamma = family.multiplier, family.strength
    scaled = [
        [C * x for x in query]
        for query in (
            family.book.direction((1, 0)),
            family.book.tie((1, 0)),
            family.book.tie((0, 1)),
        )
    ]
    assert family.query(0) == (*scaled[0], 0, 0)
    assert family.query(3) == (*scaled[1], 0, gamma)
    assert family.query(4) == (*scaled[2], gamma, 0)
    assert family.addresses == 6
    assert family.query_norm == max(sum(map(abs, row)) for row in scaled[1:]) + gamma


@pytest.mark.parametrize(("n", "a"), [(3, 16), (8, 32)])
def test_condition_in_numbers(n: int, a: int) -> None:
    family = Sharp(sign_pairs(n, a), 1, 3, 4, TIGHT)
    conditions = [
        (family.book.margin, n * n - 1, family.levels.room),
        (family.book.tie_margin, n * n - 2, family.payload_levels.room),
    ]

    def enough(C: int) -> bool:
        return all(
            exceeds_log(Fraction(C * margin), symbol_ratio(TIGHT, others, room))
            for margin, others, room in conditions
        )

    assert enough(family.multiplier)
    assert family.multiplier == 1 or not enough(family.multiplier - 1)


def test_least_strength_in_numbers() -> None:
    assert strength_ratio(Guarantee(Fraction(1, 10), Fraction(1, 20))) == Fraction(15, 7)


def test_strength_leaves_room_where_there_is_any() -> None:
    assert strength(16, Guarantee()) == Fraction(3, 2)
    guarantee = Guarantee(Fraction(1, 20))
    found = strength(4, guarantee)
    assert exceeds_log(found / 3, strength_ratio(guarantee))
    assert Sharp(sign_pairs(2, 8), 1, 3, 4, guarantee).payload_levels.room > 0


@pytest.mark.parametrize(
    ("n", "guarantee"),
    [
        (2, Guarantee(alpha=Fraction("0.24999"))),
        (2, Guarantee(alpha=Fraction(1, 4) - Fraction(1, 10**20))),
        (3, Guarantee(Fraction(9999, 10000))),
        (2, Guarantee(Fraction(1, 2), Fraction(1, 8) - Fraction(1, 10**9))),
    ],
)
def test_two_payloads_are_told_apart_wherever_they_can_be(n: int, guarantee: Guarantee) -> None:
    assert strength_ratio(guarantee) > exp(10)
    family = Sharp(sign_pairs(n, 16), 1, 2, 2, guarantee)
    assert exceeds_log(family.strength, strength_ratio(guarantee))
    assert not exceeds_log(family.strength - 2, strength_ratio(guarantee))
    for symbol in (0, 1):
        for sign in (1, -1):
            assert recovered(family, (symbol,) * family.size, sign) == family.size


@pytest.mark.parametrize("L", [3, 4, pytest.param(16, marks=pytest.mark.long)])
def test_a_strength_between_the_multiples_of_a_quarter_is_found(L: int) -> None:
    """For α next to the largest, the strengths with room are few."""
    largest = max(
        min(room(Guarantee(), low, high) for low, high in pairwise(payloads(L, k / 1000)))
        for k in range(1, 10000)
    )
    alpha = Fraction(largest) / 2 - Fraction(1, 10**9)
    family = Sharp(sign_pairs(2, 8), 1, 2, L, Guarantee(alpha=alpha))
    assert (4 * family.strength).denominator > 1
    assert family.payload_levels.room > 0


def payloads(L: int, gamma: float) -> list[float]:
    return [1 / (1 + exp(gamma * (1 - k / (L - 1)))) for k in range(L)]


def test_no_strength_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"guarantee: expected eta \+ 4\*alpha < 1"):
        Sharp(sign_pairs(2, 8), 1, 2, 2, Guarantee(Fraction(1, 2), Fraction(1, 8)))
    with pytest.raises(InputError, match="gamma: expected a strength that leaves room"):
        Sharp(sign_pairs(2, 8), 1, 2, 3, Guarantee(alpha=Fraction(2, 25)))


def test_only_pairs_that_are_not_tied_compete() -> None:
    """n² - 2 of them: for n = 2 and L = 4 a third would take twice the multiplier."""
    guarantee = Guarantee(alpha=tightness(sign_pairs(2, 8), 1, 2, 4).alpha)
    family = Sharp(sign_pairs(2, 8), 1, 2, 4, guarantee, Fraction(3, 2))
    three = symbol_ratio(guarantee, 3, family.payload_levels.room)
    assert least_multiplier(Fraction(family.book.tie_margin), three) == 2
    assert family.multiplier == 1


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda f: f.encode((0,) * 5), "symbols"),
        (lambda f: f.encode((0, 1, 3, 0, 0, 0)), "symbols[2]"),
        (lambda f: f.query(6), "address"),
        (lambda f: f.query(-1), "address"),
        (lambda f: f.row((0,) * 6, 6), "address"),
        (lambda f: f.decode(0, [1]), "answer"),
        (lambda f: f.decode(6, [1, 1, 1]), "address"),
        (lambda f: f.decode(0, [1, 1, float("inf")]), "answer[2]"),
        (lambda f: f.decode(4, [1, float("nan"), 1]), "answer[1]"),
        (lambda f: Sharp(binary_pairs(4), 1, 3), "book"),
        (lambda f: Sharp(f.book, 0, 3), "b"),
        (lambda f: Sharp(f.book, 1, 1), "d_v"),
        (lambda f: Sharp(f.book, 1, 3, 1), "L"),
        (lambda f: Sharp(f.book, 1, 3, 3, Guarantee(Fraction(1, 3))), "guarantee"),
        (lambda f: Sharp(f.book, 1, 3, 3, Guarantee(Fraction(1, 10)), Fraction(1, 4)), "guarantee"),
        (lambda f: Sharp(f.book, 1, 3, gamma=Fraction(-1)), "gamma"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call(Sharp(sign_pairs(2, 8), 2, 3, 3))
    assert caught.value.argument == argument

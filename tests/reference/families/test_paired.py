"""The family `paired-values`: every symbol comes back, and no smaller C is enough (S1)."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import Guarantee, InputError
from kvfloor.families import PairedValues, attend_to, binary_pairs, sign_pairs, stack
from kvfloor.floors import exceeds_log, whole_bits
from kvfloor.numbers import ball_ends

TIGHT = Guarantee(Fraction(1, 60), Fraction(1, 60))


def worst(outputs: list[arb], guarantee: Guarantee, sign: int) -> list[Fraction]:
    """Answers pushed to one edge of the guarantee."""
    nearer = [ball_ends(o)[0 if sign > 0 else 1] for o in outputs]
    return [o * (1 + sign * guarantee.eta) + sign * guarantee.alpha for o in nearer]


def recovered(family: PairedValues, x: tuple[int, ...], sign: int) -> tuple[int, ...]:
    attention = attend_to(family.encode(x))
    found: list[int] = []
    for address in range(family.addresses):
        outputs = attention(family.query(address)).enclose(256)
        found += family.decode(worst(outputs, family.guarantee, sign) if sign else outputs)
    return tuple(found)


@given(
    st.data(), st.sampled_from([2, 3, 16]), st.sampled_from([binary_pairs(3), sign_pairs(4, 20)])
)
def test_symbols_come_back(data: st.DataObject, L: int, book: Any) -> None:
    for guarantee in (Guarantee(), Guarantee(Fraction(1, 70), Fraction(1, 90))):
        family = PairedValues(book, 2, L, guarantee)
        x = data.draw(st.tuples(*[st.integers(0, L - 1)] * family.size))
        for sign in (0, 1, -1):
            assert recovered(family, x, sign) == x


def test_the_papers_case_twice_over() -> None:
    family = PairedValues(binary_pairs(16), 8, 16)
    drawn = random.Random(2503)
    x = tuple(drawn.randrange(16) for _ in range(family.size))
    assert (family.size, family.bits) == (240, 960)
    assert recovered(family, x, 0) == x


def test_instance_is_that_of_the_theorem() -> None:
    family = PairedValues(binary_pairs(3), 2, 5)
    keys, values = stack(family.encode((0, 1, 2, 3, 4, 4, 0, 2)))
    assert keys == [list(K) for K in family.book.keys]
    quarter = Fraction(1, 4)
    assert values[0] == [(1, 1), (0, quarter), (2 * quarter, 3 * quarter)]
    assert values[1] == [(1, 1), (1, 1), (0, 2 * quarter)]
    queries = [family.query(address) for address in range(4)]
    pairs = [(1, 0), (2, 0), (0, 1), (0, 2)]
    C = family.multiplier
    assert queries == [tuple(C * x for x in family.book.direction(pair)) for pair in pairs]


def test_condition_in_numbers() -> None:
    family = PairedValues(binary_pairs(4), 1, 9, TIGHT)
    assert family.competitors == 15
    room = (1 - Fraction(15, 60)) / 8 - Fraction(2, 60)
    ratio = 15 * (1 + Fraction(3, 60)) / room
    assert family.margin == 2 * family.multiplier
    assert exceeds_log(family.margin, ratio)
    assert not exceeds_log(family.margin - 2, ratio)


def test_floor_in_bits() -> None:
    assert PairedValues(binary_pairs(3), 5, 10).bits == whole_bits(20, 10) == 67
    assert [whole_bits(n, 2) for n in (0, 1, 8)] == [0, 1, 8]


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda f: f.encode((0,) * 3), "symbols"),
        (lambda f: f.encode((0, 1, 3, 0)), "symbols[2]"),
        (lambda f: f.encode((0, -1, 0, 0)), "symbols[1]"),
        (lambda f: f.encode((0, 1, 0, True)), "symbols[3]"),
        (lambda f: f.encode((0.0, 1, 0, 0)), "symbols[0]"),
        (lambda f: f.query(2), "address"),
        (lambda f: f.query(-1), "address"),
        (lambda f: f.decode([1]), "answer"),
        (lambda f: f.decode([0, float("nan")]), "answer[1]"),
        (lambda f: PairedValues(f.book, 0), "d_v"),
        (lambda f: PairedValues(f.book, 1, 1), "L"),
        (lambda f: PairedValues(f.book, 1, 9, Guarantee(Fraction(1, 15))), "guarantee"),
        (lambda f: whole_bits(3, 1), "L"),
        (lambda f: whole_bits(-1, 2), "symbols"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call(PairedValues(binary_pairs(2), 2, 3))
    assert caught.value.argument == argument

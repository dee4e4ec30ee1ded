"""The quantised cache: honest bits, entries in the middle of their cells, error within bounds."""

from __future__ import annotations

import random
from contextlib import suppress
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import Guarantee, InputError, Token, tensor_attention
from kvfloor.caches import QuantisedCache, configure, record, restore
from kvfloor.families import Sharp, attend_to, sign_pairs, stack, tightness
from kvfloor.floors import (
    answer_bits,
    cells_for,
    errors_of_one_cell,
    logit_error,
    output_error,
    product_error,
    quantised_bits,
)

SHAPE = {"order": 2, "d": 2, "d_v": 1}


def make(key_cells: int = 3, value_cells: int = 5, **options: Any) -> Any:
    return configure(QuantisedCache, key_cells=key_cells, value_cells=value_cells, **options)


def test_middles_of_cells_are_kept_exactly() -> None:
    thirds = [Fraction(2 * k, 3) for k in (-1, 0, 1)]
    fifths = [Fraction(2 * k, 5) for k in (-2, -1, 0, 1, 2)]
    drawn = random.Random(1)
    tokens = [
        Token(
            tuple(tuple(drawn.choices(thirds, k=2)) for _ in range(2)),
            tuple((drawn.choice(fifths),) for _ in range(2)),
        )
        for _ in range(3)
    ]
    cache = restore(make(), record(make(), tokens, d=2, d_v=1), **SHAPE)
    query = (Fraction(1, 3), Fraction(-2))
    true = tensor_attention(query, *stack(tokens), digits=60).output
    assert [float(x) for x in cache.answer(query)] == [float(x) for x in true]


def test_entries_go_to_the_nearest_middle() -> None:
    found = []
    for x in (-2, Fraction(-11, 10), -1, Fraction(-1, 10), 0, Fraction(19, 10), 2):
        cache = make(2, 4, value_bound=2)(order=1, d=1, d_v=1, seed=0)
        cache.append(((0,),), ((x,),))
        found += cache.answer((0,))
    half = Fraction(1, 2)
    assert found == [-3 * half, -3 * half, -half, -half, half, 3 * half, 3 * half]


@given(st.integers(0, 4), st.sampled_from([(2, 2), (3, 5), (7, 2)]))
def test_states_are_distinct_numbers_below_the_bits(n: int, cells: tuple[int, int]) -> None:
    drawn = random.Random(n)
    cache = make(*cells)(seed=0, **SHAPE)
    for _ in range(n):
        keys = [[drawn.uniform(-1, 1) for _ in range(2)] for _ in range(2)]
        cache.append(keys, [[drawn.uniform(-1, 1)] for _ in range(2)])
    radix = prod((cells[0] ** 2, cells[1])) ** 2
    assert radix**n <= int.from_bytes(cache.state(), "little") < 2 * radix**n
    assert cache.state_bits() == (2 * radix**n - 1).bit_length()
    again = QuantisedCache.from_state(
        cache.state(), seed=0, key_cells=cells[0], value_cells=cells[1], **SHAPE
    )
    assert (again.state(), again.state_bits()) == (cache.state(), cache.state_bits())


def test_all_states_of_a_small_cache_differ() -> None:
    ends = (Fraction(-1), Fraction(1, 2))
    states = {
        record(make(2, 2), [Token(((a,),), ((b,),)), Token(((c,),), ((e,),))], d=1, d_v=1)
        for a, b, c, e in product(ends, repeat=4)
    }
    assert len(states) == 16
    assert {state.bits for state in states} == {5}  # and the number of tokens


def test_answers_are_rounded_by_less_than_they_say() -> None:
    cache = make(2, 3)(order=1, d=1, d_v=1, seed=0)
    cache.append(((0,),), ((Fraction(1, 2),),))
    (answer,) = cache.answer((0,))
    assert 0 < abs(answer - Fraction(2, 3)) < Fraction(1, 2 ** answer_bits((2, 3)))


@pytest.mark.parametrize("state", [b"", b"\0", b"\2", b"\xff\x07", b"\1\0", b"\x6d\0\0"])
def test_a_state_of_no_tokens_is_refused(state: bytes) -> None:
    """The number has a leading 1, then 2·(2 + 1) digits for each token, and no bytes to spare."""
    with pytest.raises(InputError) as caught:
        make(3, 2).from_state(state, seed=0, **SHAPE)
    assert caught.value.argument == "state"


def test_every_state_is_one_that_tokens_lead_to() -> None:
    """Of all strings of a byte or two those are restored that some tokens lead to."""
    thirds, halves = [Fraction(2 * k, 3) for k in (-1, 0, 1)], [Fraction(k, 2) for k in (-1, 1)]
    reached = {
        record(make(3, 2), [Token(((x,),), ((y,),)) for x, y in tokens], d=1, d_v=1).data
        for n in range(1, 6)
        for tokens in product(product(thirds, halves), repeat=n)
    }
    strings = [bytes(s) for size in (0, 1, 2) for s in product(range(256), repeat=size)]
    restored = set()
    for state in strings:
        with suppress(InputError):
            cache = make(3, 2).from_state(state, order=1, d=1, d_v=1, seed=0)
            assert cache.state() == state
            restored.add(state)
    empty = b"\1"
    assert restored == {state for state in reached if len(state) <= 2} | {empty}


def test_large_values_are_answered_within_the_bound() -> None:
    """What is rounded away of an answer does not grow with values."""
    bound = Fraction(10**40)
    cache = make(2, 3, value_bound=bound)(order=1, d=1, d_v=1, seed=0)
    cache.append(((0,),), ((bound,),))
    (answer,) = cache.answer((0,))
    assert abs(answer - bound * Fraction(2, 3)) < Fraction(1, 2 ** answer_bits((2, 3)))


def test_one_cell_more_leaves_room_for_rounding_answers() -> None:
    """Where 2E/α is whole, cells without it would use up all of α."""
    alpha, norm = Fraction(1, 4), Fraction(3)
    cells = cells_for(alpha, norm)
    assert cells == (2 * 6 * 4 + 1, 2 * 2 * 4 + 1)
    by_key, by_value = errors_of_one_cell(norm)
    assert by_key / (cells[0] - 1) + by_value / (cells[1] - 1) == alpha
    assert alpha / (2 * cells[0]) + alpha / (2 * cells[1]) > Fraction(1, 2 ** answer_bits(cells))


def test_answers_are_rounded_by_far_less_than_entries() -> None:
    """To bits of both numbers of cells and 128 more."""
    assert answer_bits((2, 3)) == 128 + 2 + 2
    assert answer_bits((2**70, 5)) == 128 + 71 + 3
    for cells in ((2, 3), (2**70, 5), (7, 8)):
        assert 2 ** answer_bits(cells) >= 2**128 * prod(cells)


def test_bound_in_numbers() -> None:
    assert product_error(3, Fraction(2), Fraction(1, 8)) == Fraction(3, 2)
    assert logit_error(2, Fraction(2), Fraction(1, 8), 5, Fraction(1, 2)) == Fraction(5, 4)
    assert output_error(2, Fraction(3), Fraction(1, 6), Fraction(1, 9)) == 2


def test_error_comes_near_the_bound() -> None:
    """Two tokens tied, keys moved apart by rounding: 2·tanh(ε_s/2) of the ε_s allowed."""
    cells, Q = (64, 2), 1
    # just above and just below 0, the border of two cells
    tokens = [Token(((Fraction(0),),), ((1,),)), Token(((Fraction(-1, 10**9),),), ((-1,),))]
    state = record(make(*cells), tokens, d=1, d_v=1)
    (answer,) = restore(make(*cells), state, order=1, d=1, d_v=1).answer((Q,))
    moved = output_error(1, Fraction(1), Fraction(0), logit_error(1, 1, Fraction(1, 64), Q))
    weight_part = 2 * answer  # values ±1 round to ±1/2
    assert Fraction(99, 100) * moved < weight_part < moved


@given(st.sampled_from([Fraction(1, 2), Fraction(1, 100)]), st.integers(1, 40), st.integers(1, 3))
def test_cells_are_enough_and_not_twice_too_many(alpha: Fraction, Q: int, order: int) -> None:
    key_cells, value_cells = cells_for(alpha, Fraction(Q), order=order)

    def error(N_k: int, N_v: int) -> Fraction:
        moved = logit_error(order, Fraction(1), Fraction(1, N_k), Q)
        return Fraction(output_error(order, Fraction(1), Fraction(1, N_v), moved))

    rounding = Fraction(1, 2 ** answer_bits((key_cells, value_cells)))
    assert error(key_cells, value_cells) + rounding <= alpha
    assert error(max(1, (key_cells - 1) // 2), max(1, (value_cells - 1) // 2)) > alpha


def test_sharp_family_beside_its_floor() -> None:
    """Measured bits and error, beside floor and α; every symbol comes back."""
    book = sign_pairs(3, 16)
    near = tightness(book, 24, 40, 16)
    family = Sharp(book, 24, 40, 16, Guarantee(alpha=near.alpha), Fraction(3, 2))
    drawn = random.Random(2503)
    x = tuple(drawn.randrange(16) for _ in range(family.size))
    factory = make(*near.cells)
    state = record(factory, family.encode(x), d=family.d, d_v=family.d_v)
    cache = restore(factory, state, order=2, d=family.d, d_v=family.d_v)
    assert state.bits == quantised_bits(3, 40, 40, near.cells)
    assert family.multiplier == near.multiplier
    assert abs(state.bits - near.ratio * family.size * 4) < 3
    attention = attend_to(family.encode(x))
    for address in range(family.addresses):
        answer = cache.answer(family.query(address))
        assert family.decode(address, answer) == family.row(x, address)
        for o, true in zip(answer, attention(family.query(address)).floats(), strict=True):
            assert family.guarantee.accepts(o, Fraction(true), Fraction(true))


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: make(1, 2)(seed=0, **SHAPE), "key_cells"),
        (lambda: make(2, 1)(seed=0, **SHAPE), "value_cells"),
        (lambda: make(2, 2, key_bound=0)(seed=0, **SHAPE), "key_bound"),
        (lambda: make(2, 2, value_bound=-1)(seed=0, **SHAPE), "value_bound"),
        (lambda: make(key_bound="x")(seed=0, **SHAPE), "key_bound"),
        (lambda: make()(order=0, d=2, d_v=1, seed=0), "order"),
        (lambda: make()(order=-1, d=2, d_v=1, seed=0), "order"),
        (lambda: make()(order=2, d=0, d_v=1, seed=0), "d"),
        (lambda: make()(order=2, d="x", d_v=1, seed=0), "d"),
        (lambda: make()(seed=0, **SHAPE).append([1, 1], [1, 1]), "token"),
        (lambda: make()(seed=0, **SHAPE).append(None, None), "token"),
        (lambda: cells_for(Fraction(0), Fraction(1)), "alpha"),
        (lambda: cells_for(Fraction(-1), Fraction(1)), "alpha"),
        (lambda: cells_for(Fraction(1), Fraction(0)), "query_norm"),
        (lambda: cells_for(Fraction(1), Fraction(1), order=0), "order"),
        (lambda: cells_for(Fraction(1), Fraction(1), key_bound=Fraction(0)), "key_bound"),
        (lambda: cells_for(Fraction(1), Fraction(1), value_bound=Fraction(-1)), "value_bound"),
        (lambda: cells_for(Fraction(1), Fraction(1), scale=Fraction(0)), "scale"),
        (lambda: make()(seed=0, **SHAPE).append([[0, 0]], [[0], [0]]), "token"),
        (lambda: make()(seed=0, **SHAPE).append([[0, 2], [0, 0]], [[0], [0]]), "token"),
        (lambda: make()(seed=0, **SHAPE).append([[0, 0], [0, 0]], [[0], [-1.5]]), "token"),
    ],
)
def test_refused_by_name(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument

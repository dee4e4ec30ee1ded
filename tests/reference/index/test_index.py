"""INDEX: the reduction carries every bit, and few bits of message collide (D5, L3)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import BinaryValues, binary_keys
from kvfloor.caches import ExactCache, FloorCache, HashedCache, configure, record
from kvfloor.index import all_inputs, colliding_pair, message, output_row
from strategies import instances

Bits = tuple[int, ...]


@given(instances())
def test_bob_says_every_row(instance: tuple[BinaryValues, Bits]) -> None:
    family, bits = instance
    for factory in (ExactCache, configure(FloorCache, family=family)):
        sent = message(factory, family, bits)
        for i in range(family.n):
            assert output_row(factory, family, sent, i) == family.row(bits, i)


def test_message_is_the_state_after_the_instance() -> None:
    family, bits = BinaryValues(binary_keys(3), 2), (1, 0, 1, 1, 0, 0)
    factory = configure(HashedCache, bits=20)
    for seed in (0, 7):
        sent = message(factory, family, bits, seed=seed)
        assert sent == record(factory, family.encode(bits), d=2, d_v=2, seed=seed)
    assert message(factory, family, bits) != message(factory, family, bits, seed=7)


def test_bob_needs_the_public_coins() -> None:
    family = BinaryValues(binary_keys(4), 1)
    factory = configure(HashedCache, bits=6, family=family)
    for seed in (3, 4):
        sent = message(factory, family, (1, 0, 0, 1), seed=seed)
        rows = [output_row(factory, family, sent, i, seed=seed) for i in range(4)]
        assert rows == [(1,), (0,), (0,), (1,)]


@pytest.mark.parametrize("size", range(1, 6))
def test_all_inputs_are_all_in_order(size: int) -> None:
    inputs = list(all_inputs(size))
    assert len(inputs) == len(set(inputs)) == 2**size
    assert inputs == sorted(inputs)
    assert {len(x) for x in inputs} == {size}


@given(st.integers(1, 7), st.data())
def test_fewer_messages_than_inputs_collide_in_time(size: int, data: st.DataObject) -> None:
    messages = data.draw(st.integers(1, 2**size - 1))
    drawn = st.lists(st.integers(0, messages - 1), min_size=2**size, max_size=2**size)
    table = dict(zip(product((0, 1), repeat=size), data.draw(drawn), strict=True))
    pair = colliding_pair(table.__getitem__, all_inputs(size))
    assert pair is not None
    assert pair.x != pair.y
    assert table[pair.x] == table[pair.y]
    assert pair.encoded <= messages + 1
    inputs = list(all_inputs(size))
    assert inputs[pair.encoded - 1] == pair.y
    before = [table[x] for x in inputs[: pair.encoded - 1]]
    assert len(set(before)) == len(before)  # the first there is


def test_as_many_messages_as_inputs_need_not_collide() -> None:
    assert colliding_pair(lambda x: x, all_inputs(5)) is None


def test_the_same_input_twice_is_no_collision() -> None:
    x, y = (0, 1), (1, 1)
    assert colliding_pair(lambda _: 0, [x, x, x]) is None
    assert colliding_pair(lambda _: 0, [x, x, y]) == (x, y, 3)

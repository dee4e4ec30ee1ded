"""The quantised cache in the gauge: r numbers and no more, nothing lost, nothing let in."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from kvfloor import InputError, Token, tensor_attention
from kvfloor.caches import GaugedCache, QuantisedCache, configure, record, restore
from kvfloor.families import stack
from kvfloor.floors import gauged_bits, gauged_numbers

CELLS = (3, 5)
MIDDLES = (
    [Fraction(2 * k, 3) * 2 for k in (-1, 0, 1)],
    [Fraction(2 * k, 5) * 2 for k in range(-2, 3)],
)


def make(**options: Any) -> Any:
    bounds = {"key_bound": 2, "value_bound": 2} | options
    return configure(GaugedCache, key_cells=CELLS[0], value_cells=CELLS[1], **bounds)


def tokens(order: int, n: int, d: int, d_v: int, seed: int = 1) -> list[Token]:
    """Draw tokens in the gauge, their other entries middles of cells."""
    drawn = random.Random(seed)

    def row(part: int, width: int, slot: int, token: int) -> tuple[Fraction, ...]:
        if token == 0 and order == 1 and part == 0:
            return (Fraction(0),) * width
        if token == 0 and slot > 0:
            return (Fraction(1),) * width
        return tuple(drawn.choices(MIDDLES[part], k=width))

    return [
        Token(
            tuple(row(0, d, slot, token) for slot in range(order)),
            tuple(row(1, d_v, slot, token) for slot in range(order)),
        )
        for token in range(n)
    ]


@pytest.mark.parametrize("shape", [(1, 1, 2, 1), (1, 4, 2, 3), (2, 3, 2, 1), (3, 2, 1, 2)])
def test_middles_of_cells_are_kept_exactly(shape: tuple[int, int, int, int]) -> None:
    order, n, d, d_v = shape
    given = tokens(*shape)
    state = record(make(), given, d=d, d_v=d_v)
    assert state.bits == gauged_bits(n, d, d_v, CELLS, order=order)
    cache = restore(make(), state, order=order, d=d, d_v=d_v)
    assert cache.state() == state.data
    query = tuple(Fraction(k + 1, 3) for k in range(d))
    true = tensor_attention(query, *stack(given), digits=60).output
    assert [float(x) for x in cache.answer(query)] == [float(x) for x in true]


@pytest.mark.parametrize("order", [1, 2])
def test_a_restored_cache_goes_on(order: int) -> None:
    given = tokens(order, 5, 2, 1)
    for split in range(6):
        first = make()(order=order, d=2, d_v=1, seed=0)
        for token in given[:split]:
            first.append(token.keys, token.values)
        second = make().from_state(first.state(), order=order, d=2, d_v=1, seed=0)
        for token in given[split:]:
            second.append(token.keys, token.values)
        assert (second.state(), second.state_bits()) == record(make(), given, d=2, d_v=1)


@pytest.mark.parametrize("order", [1, 2])
def test_states_are_as_many_as_inputs_in_the_gauge(order: int) -> None:
    """Every state between the least and the largest occurs, once."""
    keys, values = gauged_numbers(order, 2, 1, 1)
    free = product(product(MIDDLES[0], repeat=keys), product(MIDDLES[1], repeat=values))
    still = Fraction(order > 1)
    states = set()
    for k, v in free:
        if order == 1:
            pair = [Token(((still,),), ((v[0],),)), Token(((k[0],),), ((v[1],),))]
        else:
            pair = [
                Token(((k[0],), (still,)), ((v[0],), (still,))),
                Token(((k[1],), (k[2],)), ((v[1],), (v[2],))),
            ]
        states.add(int.from_bytes(record(make(), pair, d=1, d_v=1).data, "little"))
    number = 3**keys * 5**values
    assert states == set(range(number, 2 * number))


def test_fewer_bits_than_without_the_gauge() -> None:
    given = tokens(2, 3, 4, 4)
    plain = configure(QuantisedCache, key_cells=3, value_cells=5, key_bound=2, value_bound=2)
    gauged, whole = (record(f, given, d=4, d_v=4).bits for f in (make(), plain))
    assert whole - gauged in (15, 16)  # four keys of log2(3) and four values of log2(5) bits


@pytest.mark.parametrize(
    ("order", "keys", "values", "options", "expected"),
    [
        (1, [[1]], [[1]], {}, "the entry 0, by the gauge, got 1"),
        (2, [[1], [0.5]], [[1], [1]], {}, "the entry 1, by the gauge, got 1/2"),
        (2, [[1], [1]], [[1], [-1]], {}, "the entry 1, by the gauge, got -1"),
        (2, [[3], [1]], [[1], [1]], {}, "entries of absolute value at most 2, got 3"),
        (2, [[0], [1]], [[0], [1]], {"key_bound": "1/2"}, "entries of absolute value at most 1/2"),
        (2, [[0]], [[0], [1]], {}, "2 keys of 1 and 2 values of 1 numbers"),
    ],
)
def test_refused_by_name(
    order: int, keys: Any, values: Any, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InputError, match=f"token: expected {expected}"):
        make(**options)(order=order, d=1, d_v=1, seed=0).append(keys, values)


def test_only_the_first_token_is_in_the_gauge() -> None:
    cache = make()(order=2, d=1, d_v=1, seed=0)
    cache.append([[2], [1]], [[-2], [1]])
    cache.append([[2], [0]], [[-2], [0]])

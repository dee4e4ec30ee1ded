"""Caches through the bytes of their state: lossless, counted, restored, refused (D3, D4)."""

from __future__ import annotations

import json
import struct
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import product
from math import ulp
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import BinaryValues, ExactAttention, InputError, Token, binary_keys, parabola
from kvfloor.caches import (
    Cache,
    Configured,
    ExactCache,
    FloorCache,
    HashedCache,
    State,
    configure,
    describe,
    fits,
    record,
    restore,
)
from kvfloor.families import attend_to, stack
from kvfloor.numbers import arb_precision
from strategies import instances

Bits = tuple[int, ...]
numbers = st.floats(-4, 4, allow_subnormal=False)


@st.composite
def token_lists(draw: st.DrawFn) -> tuple[list[Token], int, int]:
    """Tokens of float64 numbers, values not negative so that outputs do not cancel; d and d_v."""
    order, n, d, d_v = (draw(st.integers(1, most)) for most in (3, 3, 3, 2))
    vector = st.tuples(*[numbers] * d)
    value = st.tuples(*[numbers.map(abs)] * d_v)
    keys, values = st.tuples(*[vector] * order), st.tuples(*[value] * order)
    tokens = st.builds(Token, keys, values)
    return draw(st.lists(tokens, min_size=n, max_size=n)), d, d_v


def made(factory: Any, tokens: list[Token], d: int, d_v: int, seed: int = 0) -> Any:
    cache = factory(order=len(tokens[0].keys), d=d, d_v=d_v, seed=seed)
    for token in tokens:
        cache.append(token.keys, token.values)
    return cache


# --- ExactCache ----------------------------------------------------------------------------


@given(token_lists())
def test_exact_cache_keeps_every_number_in_64_bits(case: tuple[list[Token], int, int]) -> None:
    tokens, d, d_v = case
    state = record(ExactCache, tokens, d=d, d_v=d_v)
    order, n = len(tokens[0].keys), len(tokens)
    assert state.bits == 64 * order * n * (d + d_v) == 8 * len(state.data)
    kept = struct.unpack(f"<{state.bits // 64}d", state.data)
    assert list(kept) == [x for t in tokens for row in (*t.keys, *t.values) for x in row]
    assert restore(ExactCache, state, order=order, d=d, d_v=d_v).state() == state.data


@given(token_lists(), st.data())
def test_exact_cache_answers_within_an_ulp_from_its_bytes(
    case: tuple[list[Token], int, int], data: st.DataObject
) -> None:
    tokens, d, d_v = case
    query = data.draw(st.lists(numbers, min_size=d, max_size=d))
    state = record(ExactCache, tokens, d=d, d_v=d_v)
    cache = restore(ExactCache, state, order=len(tokens[0].keys), d=d, d_v=d_v)
    answer, exact = cache.answer(query), ExactAttention(*stack(tokens))(query)
    assert len(answer) == d_v
    with arb_precision(1200):
        for o, truth in zip(answer, exact.enclose(1200), strict=True):
            assert type(o) is float
            assert abs(o - truth) <= ulp(o)


@pytest.mark.parametrize(
    "number",
    [
        Fraction(1, 3),
        2**53 + 1,
        10**400,
        Decimal("0.1"),
        np.longdouble(1) + np.longdouble(2) ** -60,
    ],
    ids=str,
)
def test_exact_cache_refuses_what_float64_does_not_hold(number: Any) -> None:
    cache = ExactCache(order=1, d=1, d_v=1, seed=0)
    with pytest.raises(InputError) as caught:
        cache.append([[1]], [[number]])
    error = caught.value
    assert (error.argument, error.expected) == ("token", "numbers that float64 holds exactly")
    assert cache.state() == b""


def test_exact_cache_keeps_numbers_whatever_they_are_given_as() -> None:
    """Floats are taken at once, others by way of rationals; no zero has a sign."""
    states = set()
    for number, zero in ((0.5, -0.0), (Fraction(1, 2), 0), (np.float32(0.5), Decimal("-0"))):
        cache = ExactCache(order=1, d=2, d_v=1, seed=0)
        cache.append([[number, zero]], [[number]])
        states.add(cache.state())
    assert states == {np.array([0.5, 0.0, 0.5]).tobytes()}


@pytest.mark.parametrize("number", [float("nan"), None, True])
def test_exact_cache_refuses_no_numbers(number: Any) -> None:
    cache = ExactCache(order=1, d=1, d_v=1, seed=0)
    with pytest.raises(InputError, match="token: expected a finite real number"):
        cache.append([[number]], [[1]])


def test_exact_cache_refuses_another_size() -> None:
    cache = ExactCache(order=2, d=2, d_v=1, seed=0)
    with pytest.raises(
        InputError,
        match=r"token: expected 2 keys of 2 and 2 values of 1 numbers, got \[2\] and \[1\]",
    ):
        cache.append([[1, 2]], [[3]])


def test_exact_cache_refuses_another_shape() -> None:
    with pytest.raises(InputError, match="token"):
        ExactCache(order=1, d=2, d_v=1, seed=0).append([[1]], [[2, 3]])


def test_exact_cache_refuses_a_torn_state() -> None:
    with pytest.raises(InputError):
        ExactCache.from_state(b"torn", order=1, d=2, d_v=1, seed=0)


def test_exact_cache_is_within_an_ulp_where_values_cancel() -> None:
    cache = ExactCache(order=1, d=1, d_v=1, seed=0)
    cache.append([[0]], [[1]])
    cache.append([[2.0**-200]], [[-1]])  # the output is -tanh(2^-201)
    assert cache.answer([1]) == [-(2.0**-201)]


@pytest.mark.parametrize("largest", [[1e308], [1e308, 1.5e308]])
def test_exact_cache_refuses_an_answer_that_float64_does_not_hold(largest: list[float]) -> None:
    cache = ExactCache(order=2, d=1, d_v=1, seed=0)
    for k, x in enumerate(largest):
        cache.append([[k], [1]], [[x], [1e10]])
    try:
        answer = cache.answer([1])
    except InputError:
        return
    assert answer != [float("inf")]


# --- FloorCache and HashedCache ------------------------------------------------------------


@given(instances())
def test_floor_cache_meets_the_floor(instance: tuple[BinaryValues, Bits]) -> None:
    family, bits = instance
    factory, d = configure(FloorCache, family=family), family.book.d
    state = record(factory, family.encode(bits), d=d, d_v=family.d_v)
    assert state.bits == family.size
    cache = restore(factory, state, order=family.order, d=d, d_v=family.d_v)
    found = [bit for i in range(family.n) for bit in family.decode(cache.answer(family.query(i)))]
    assert tuple(found) == bits


def test_floor_cache_refuses_other_values() -> None:
    family = BinaryValues(binary_keys(2), 1)
    cache = configure(FloorCache, family=family)(order=2, d=1, d_v=1, seed=0)
    with pytest.raises(InputError, match=r"values\[0\]: expected 0 or 1, got 1/2"):
        cache.append([[1], [1]], [[0.5], [1]])


@given(token_lists(), st.integers(0, 70), st.integers(0, 3))
def test_hashed_cache_keeps_b_bits(case: tuple[list[Token], int, int], b: int, seed: int) -> None:
    tokens, d, d_v = case
    factory = configure(HashedCache, bits=b)
    state = record(factory, tokens, d=d, d_v=d_v, seed=seed)
    assert state.bits == b
    assert int.from_bytes(state.data, "little") < 2**b
    cache = restore(factory, state, order=len(tokens[0].keys), d=d, d_v=d_v, seed=seed)
    assert cache.state() == state.data
    assert cache.answer([0] * d) == [0.0] * d_v


def hashes(tokens: list[Token], seed: int = 0) -> int:
    data = record(configure(HashedCache, bits=64), tokens, d=2, d_v=1, seed=seed).data
    return int.from_bytes(data, "little")


def test_hash_depends_on_everything_seen() -> None:
    a, b = Token(((1, 2),), ((3,),)), Token(((1, 2),), ((4,),))
    seen = [hashes([a, b]), hashes([b, a]), hashes([a]), hashes([a, a]), hashes([a, b], seed=1)]
    assert len({*seen, hashes([Token(((2, 1),), ((3,),))])}) == 6
    assert hashes([a, b]) == hashes([Token(((1.0, Decimal(2)),), ((Fraction(3),),)), b])  # type: ignore[arg-type]


def test_hash_is_spread_over_all_states() -> None:
    family = BinaryValues(binary_keys(8), 1)
    factory = configure(HashedCache, bits=4)
    states = [record(factory, family.encode(x), d=3, d_v=1) for x in product((0, 1), repeat=8)]
    counts = [states.count(State(bytes([h]), 4)) for h in range(16)]
    assert sum(counts) == 256
    assert min(counts) >= 4  # of 16 expected


def test_hashed_cache_answers_for_the_first_instance_with_its_hash() -> None:
    family = BinaryValues(parabola(4), 1, order=1)
    factory = configure(HashedCache, bits=3, family=family)
    first: dict[bytes, Bits] = {}
    for x in product((0, 1), repeat=4):
        state = record(factory, family.encode(x), d=2, d_v=1, seed=5)
        stand_in = first.setdefault(state.data, x)
        cache = restore(factory, state, order=1, d=2, d_v=1, seed=5)
        for i in range(4):
            truth = attend_to(family.encode(stand_in))(family.query(i)).enclose()
            assert cache.answer(family.query(i)) == [float(truth[0].mid())]
            assert family.decode(cache.answer(family.query(i))) == family.row(stand_in, i)
    assert len(first) < 16


def test_hashed_cache_refused() -> None:
    with pytest.raises(InputError, match="bits: expected a whole number >= 0, got -1"):
        configure(HashedCache, bits=-1)(order=1, d=1, d_v=1, seed=0)


def test_hashed_cache_takes_any_seed() -> None:
    assert hashes([Token(((1, 2),), ((3,),))], seed=10**70) >= 0


# --- the protocol --------------------------------------------------------------------------


class Claiming:
    """A cache with a state and a number of bits of its own choice."""

    def __init__(self, *, state: Any, state_bits: Any, **_: Any) -> None:
        self.state, self.state_bits = lambda: state, lambda: state_bits

    def append(self, keys: Any, values: Any) -> None: ...


TOKENS = [Token(((1,),), ((1,),))]


def recorded(state: Any, bits: Any) -> State:
    return record(configure(Claiming, state=state, state_bits=bits), TOKENS, d=1, d_v=1)


@pytest.mark.parametrize("state", ["text", bytearray(1), None, [0]])
def test_state_must_be_bytes(state: Any) -> None:
    with pytest.raises(InputError) as caught:
        recorded(state, 8)
    error = caught.value
    assert (error.argument, error.expected) == ("cache", "state() of type bytes")
    assert error.got == type(state).__name__


@pytest.mark.parametrize(
    ("state", "bits"), [(b"\1", 0), (b"\2", 1), (b"\0", 9), (b"\0\0", 8), (b"", 1), (b"\0\2", 9)]
)
def test_state_must_fit_its_bits(state: bytes, bits: int) -> None:
    with pytest.raises(InputError) as caught:
        recorded(state, bits)
    assert caught.value.expected == f"state_bits() in which {len(state)} bytes fit"
    assert caught.value.got == str(bits)


@pytest.mark.parametrize(("state", "bits"), [(b"", -3), (b"\1", 2.5), (b"\1", True)])
def test_bits_must_be_a_count(state: bytes, bits: Any) -> None:
    with pytest.raises(InputError) as caught:
        recorded(state, bits)
    fits = "in which 0 bytes fit" if bits == -3 else "that is a whole number"
    assert caught.value.expected == f"state_bits() {fits}"


def test_bits_may_be_counted_by_numpy() -> None:
    found = recorded(b"\1\1", np.int64(9))
    assert (found, type(found.bits)) == (State(b"\1\1", 9), int)


@pytest.mark.parametrize("bits", range(11))
def test_exactly_the_states_of_b_bits_fit(bits: int) -> None:
    fitting = [
        data
        for length in range(3)
        for data in (k.to_bytes(length, "little") for k in range(256**length))
        if fits(data, bits)
    ]
    assert len(fitting) == len(set(fitting)) == 2**bits
    assert {len(data) for data in fitting} == {-(-bits // 8)}


def test_bits_are_those_of_the_bytes_unless_declared() -> None:
    assert record(ExactCache, TOKENS, d=1, d_v=1).bits == 128
    assert recorded(b"\1\1", 9) == State(b"\1\1", 9)


def test_no_tokens_are_refused_by_name() -> None:
    with pytest.raises(InputError):
        record(ExactCache, [], d=1, d_v=1)


def test_factory_without_a_name_is_refused_by_name() -> None:
    with pytest.raises(InputError):
        describe(partial(HashedCache, bits=3))


def test_configured_passes_its_options_both_ways() -> None:
    factory = configure(HashedCache, bits=5)
    empty: Cache = factory(order=1, d=1, d_v=1, seed=0)
    again: Cache = factory.from_state(b"\3", order=1, d=1, d_v=1, seed=0)
    assert isinstance(empty, HashedCache)
    assert isinstance(again, HashedCache)
    assert (empty.bits, again.bits, again.state()) == (5, 5, b"\3")
    assert isinstance(factory, Configured)
    assert configure(dict, a=1, b=2) == configure(dict, b=2, a=1)


def test_described_as_json() -> None:
    family = BinaryValues(binary_keys(2), 1)
    name = "kvfloor.caches.hashed:HashedCache"
    assert describe(HashedCache) == {"name": name, "options": {}}
    described = describe(configure(HashedCache, bits=3, family=family))
    assert described == {"name": name, "options": {"bits": 3, "family": str(family)}}
    mixed = describe(configure(HashedCache, a=None, b=True, c="x", d=0.5))["options"]
    assert mixed == {"a": None, "b": True, "c": "x", "d": "0.5"}
    assert json.loads(json.dumps(described)) == described

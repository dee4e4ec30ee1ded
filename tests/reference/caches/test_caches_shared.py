"""What every cache must do: state and back, the same from there on, counted bits, clear errors."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError, Token
from kvfloor.caches import (
    BalancedCache,
    ExactCache,
    GroupedCache,
    HashedCache,
    HeavyHitterCache,
    KiviCache,
    LowRankCache,
    PackedCache,
    PolarCache,
    ProjectionCache,
    QuantisedCache,
    RotatedCache,
    SinkCache,
    SubGen,
    SubGen2Cache,
    SubGen4Cache,
    TwoCache,
    configure,
    record,
    restore,
)
from kvfloor.caches.rows import Rows

Bits = Callable[..., Any]


class Kind(NamedTuple):
    """A cache to be tested, and its bits as a function of m, n, d, d_v (None: by its clusters)."""

    name: str
    factory: Any
    bits: Bits | None
    orders: tuple[int, ...] = (1, 2, 3)
    sealed: bool = False  # takes no token once restored
    any_bytes: bool = False  # every state of bytes is one of its states


def grouped_bits(m: int, n: int, d: int, d_v: int) -> int:
    """G = 2, b = 3, float16: whole blocks, and at most one token that waits."""
    blocks, waiting = divmod(n, 2)
    scales = 2 * m * (d + 2 * -(-d_v // 2))
    return 64 + waiting * m * (d + d_v) * 16 + blocks * (m * 2 * (d + d_v) * 3 + scales * 16)


def kivi_bits(m: int, n: int, d: int, d_v: int) -> int:
    """G = 1, R = 2, b = 3, float16: at most one key waits, the last two values stay whole."""
    keys = n % 2 * 16 * d + n // 2 * 2 * d * (3 + 32)
    old = max(0, n - 2)
    return 64 + m * (keys + (n - old) * 16 * d_v + old * d_v * (3 + 32))


def balanced_bits(m: int, n: int, d: int, d_v: int) -> int:
    """Batches of two, two levels above: one of two, and then one of those two, has gone up."""
    kept = n % 2 + n // 2 % 2 + n // 4
    return 64 + kept * (d + d_v) * 16


def low_rank_bits(m: int, n: int, d: int, d_v: int) -> int:
    numbers = sum(min(2, n, columns) * (n + columns) for columns in (d, d_v))
    return 64 + 32 * m * numbers


def packed_bits(m: int, n: int, d: int, d_v: int) -> int:
    return 64 + (d + d_v) * ((m * (n - 1) + 1) * 12 + int(n**m).bit_length())


def cells_bits(m: int, n: int, d: int, d_v: int) -> int:
    return int((2 * (5**d * 7**d_v) ** (m * n) - 1).bit_length())


def kept(tokens: int, extra: int = 0, width: int = 32) -> Bits:
    """So many tokens at most, with some more numbers each."""
    return lambda m, n, d, d_v: min(n, tokens) * (m * (d + d_v) + extra) * width


def polar_bits(m: int, n: int, d: int, d_v: int) -> int:
    """Of widths that are no multiple of 16 fewer levels: as many as they have factors of two."""

    def vector(width: int) -> int:
        levels = range(1, (width & -width).bit_length())
        angles = sum((width >> k) * (3 + 2 * (k == 1)) for k in levels)
        return angles + (width >> len(levels)) * 16

    return 64 + m * n * (vector(d) + vector(d_v))


CLUSTERS = {"t": 3, "s": 2, "dtype": "bfloat16"}
CELLS = {"key_cells": 5, "value_cells": 7, "key_bound": 2, "value_bound": 2}
KINDS = [
    Kind("exact", ExactCache, kept(99, width=64)),
    Kind("two", TwoCache, lambda m, n, d, d_v: 64 * (n**m + m * n) * (d + d_v)),
    Kind("packed", configure(PackedCache, width=12), packed_bits, sealed=True),
    Kind("hashed", configure(HashedCache, bits=9), lambda *_: 9, any_bytes=True),
    Kind("quantised", configure(QuantisedCache, **CELLS), cells_bits, any_bytes=True),
    Kind("grouped", configure(GroupedCache, bits=3, group=2), grouped_bits),
    Kind("kivi", configure(KiviCache, bits=3, group=1, residual=2), kivi_bits),
    Kind(
        "rotated",
        configure(RotatedCache, bits=3),
        lambda m, n, d, d_v: 64 + m * n * (2 * 16 + 3 * (d + d_v)),
    ),
    Kind("polar", configure(PolarCache, bits=3), polar_bits),
    Kind("balanced", configure(BalancedCache, batch=2, levels=2), balanced_bits, orders=(1,)),
    Kind("sinks", configure(SinkCache, sinks=1, window=2), kept(3)),
    Kind("heavy", configure(HeavyHitterCache, heavy=2, recent=1), kept(3, 1)),
    Kind("low-rank", configure(LowRankCache, rank=2), low_rank_bits),
    Kind(
        "projection",
        configure(ProjectionCache, dimensions=2),
        lambda m, n, d, d_v: m * n * (2 + d_v) * 32,
    ),
    Kind("subgen", configure(SubGen, delta=1, **CLUSTERS), None, orders=(1,)),
    Kind("subgen2", configure(SubGen2Cache, delta=1, **CLUSTERS), None),
    Kind("subgen4-1", configure(SubGen4Cache, deltas=(1,), **CLUSTERS), None, orders=(1,)),
    Kind(
        "subgen4-2",
        configure(SubGen4Cache, deltas=(1, Fraction(1, 2)), **CLUSTERS),
        None,
        orders=(2,),
    ),
]
KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


class Case(NamedTuple):
    tokens: list[Token]
    more: list[Token]
    query: tuple[int, ...]
    d: int
    d_v: int
    seed: int

    @property
    def shape(self) -> dict[str, int]:
        return {"d": self.d, "d_v": self.d_v, "seed": self.seed}

    @property
    def order(self) -> int:
        return len(self.tokens[0].keys)


@st.composite
def cases(draw: st.DrawFn, orders: tuple[int, ...]) -> Case:
    """Small whole numbers, which every format holds, and their products too."""
    order = draw(st.sampled_from(orders))
    d, d_v = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    entry = st.integers(-2, 2)
    key, value = st.tuples(*[entry] * d), st.tuples(*[entry] * d_v)
    token = st.builds(Token, st.tuples(*[key] * order), st.tuples(*[value] * order))
    tokens = draw(st.lists(token, min_size=1, max_size=5))
    more = draw(st.lists(token, max_size=3))
    return Case(tokens, more, draw(key), d, d_v, draw(st.integers(0, 2**70)))


def fed(cache: Any, tokens: list[Token]) -> Any:
    for token in tokens:
        cache.append(token.keys, token.values)
    return cache


@KIND
@given(data=st.data())
def test_a_restored_cache_is_the_same(kind: Kind, data: st.DataObject) -> None:
    """Bytes, bits, answers, and the state after more tokens; from the bytes and the coins alone."""
    case = data.draw(cases(kind.orders))
    state = record(kind.factory, case.tokens, **case.shape)
    first = fed(kind.factory(order=case.order, **case.shape), case.tokens)
    second = restore(kind.factory, state, order=case.order, **case.shape)
    assert first.state() == second.state() == state.data
    assert getattr(second, "state_bits", lambda: 8 * len(state.data))() == state.bits
    assert first.answer(case.query) == second.answer(case.query)
    if not kind.sealed:
        assert fed(first, case.more).state() == fed(second, case.more).state()
        whole = record(kind.factory, [*case.tokens, *case.more], **case.shape)
        third = restore(kind.factory, whole, order=case.order, **case.shape)
        assert first.state() == whole.data
        assert first.answer(case.query) == third.answer(case.query)  # whatever it answered before


@KIND
@given(data=st.data())
def test_answering_changes_nothing(kind: Kind, data: st.DataObject) -> None:
    case = data.draw(cases(kind.orders))
    cache = fed(kind.factory(order=case.order, **case.shape), case.tokens)
    before = cache.state()
    answer = cache.answer(case.query)
    assert len(answer) == case.d_v
    assert cache.answer(case.query) == answer
    assert cache.state() == before


@KIND
@given(data=st.data())
def test_bits_are_what_the_class_says(kind: Kind, data: st.DataObject) -> None:
    case = data.draw(cases(kind.orders))
    state = record(kind.factory, case.tokens, **case.shape)
    bits = kind.bits or subgen_bits(kind.factory, case)
    assert state.bits == bits(case.order, len(case.tokens), case.d, case.d_v)
    assert 8 * len(state.data) - state.bits in range(8)


def subgen_bits(factory: Any, case: Case) -> Bits:
    """Centres, t = 3 samples of each, counts; the mass; s = 2 slots; 16 bits a number."""
    cache = fed(factory(order=case.order, **case.shape), case.tokens)
    sampler = getattr(cache, "rows", cache)

    def bits(m: int, n: int, d: int, d_v: int) -> int:
        factors = 64 + 16 * m * n * (d + d_v) if isinstance(cache, SubGen2Cache) else 0
        clusters = sum(64 + len(c.centres) * (64 + 4 * d * 16) for c in sampler.clusters)
        return int(factors + clusters + sum(map(reservoir_bits, sampler.reservoirs)))

    def reservoir_bits(reservoir: Any) -> int:
        odd = reservoir.mass.numerator
        while odd and odd % 2 == 0:
            odd //= 2
        slots = 2 * (case.d + case.d_v) * 16 if reservoir.mass else 0
        return int(128 + 8 * -(-odd.bit_length() // 8) + slots)

    return bits


@KIND
def test_a_token_of_another_shape_is_refused(kind: Kind) -> None:
    if kind.name == "hashed":  # takes what it is given
        return
    order = kind.orders[0]
    cache = kind.factory(order=order, d=2, d_v=1, seed=0)
    for keys, values in (
        ([[1, 2, 3]] * order, [[1]] * order),
        ([[1, 2]] * order, [[1, 2]] * order),
        ([[1, 2]] * (order + 1), [[1]] * (order + 1)),
        ([[1, 2]] * order, 5),
    ):
        with pytest.raises(InputError) as caught:
            cache.append(keys, values)
        assert caught.value.argument == "token"
    with pytest.raises(InputError, match="a finite real number"):
        cache.append([[1, float("nan")]] * order, [[1]] * order)


@KIND
@pytest.mark.parametrize("shape", [{"order": 0}, {"d": 0}, {"d_v": 0}, {"d": 1.5}], ids=str)
def test_a_shape_of_nothing_is_refused(kind: Kind, shape: dict[str, Any]) -> None:
    if kind.name == "hashed":
        return
    (argument,) = shape
    with pytest.raises(InputError) as caught:
        kind.factory(**{"order": kind.orders[0], "d": 2, "d_v": 1, "seed": 0, **shape})
    assert caught.value.argument in (argument, "deltas")


@KIND
def test_a_query_of_another_shape_or_before_any_token_is_refused(kind: Kind) -> None:
    if kind.name == "hashed":
        return
    order = kind.orders[0]
    cache = kind.factory(order=order, d=2, d_v=1, seed=0)
    with pytest.raises(InputError):
        cache.answer([1, 1])
    cache.append([[1, 0]] * order, [[1]] * order)
    with pytest.raises(InputError, match="query"):
        cache.answer([1])
    with pytest.raises(InputError, match="query"):
        cache.answer([1, float("inf")])


@KIND
def test_a_torn_state_is_refused(kind: Kind) -> None:
    if kind.any_bytes:
        return
    order = kind.orders[0]
    tokens = [Token(((1, 2),) * order, ((1,),) * order)] * 3
    state = record(kind.factory, tokens, d=2, d_v=1)
    for torn in (state.data[:-1], state.data + b"\0", state.data[:3]):
        with pytest.raises(InputError, match="state"):
            kind.factory.from_state(torn, order=order, d=2, d_v=1, seed=0)


@KIND
def test_an_empty_cache_has_a_state(kind: Kind) -> None:
    shape = {"order": kind.orders[-1], "d": 2, "d_v": 1, "seed": 0}
    cache = kind.factory(**shape)
    assert kind.factory.from_state(cache.state(), **shape).state() == cache.state()


def test_rows_come_and_go_as_in_a_list() -> None:
    rng, rows, known = np.random.default_rng(0), Rows(2), list[list[float]]()
    for step in range(400):
        if known and rng.random() < 0.45:
            place = int(rng.integers(len(known)))
            rows.drop(place)
            del known[place]
        else:
            rows.append(np.array([step, -step]))
            known.append([step, -step])
        assert rows.array.tolist() == known
        assert len(rows) == len(known)
    rows.array[0] = 7
    assert rows.array[0].tolist() == [7, 7]

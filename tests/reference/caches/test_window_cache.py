"""The window cache: its bits, its answers against masked attention, and its fall without one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import (
    BinaryValues,
    ExactAttention,
    Guarantee,
    InputError,
    binary_keys,
    check,
    flips,
    parabola,
    window_mask,
)
from kvfloor.caches import ExactCache, WindowCache, configure, record, restore
from kvfloor.certificates import canonical
from kvfloor.families import stack


@given(st.integers(1, 2), st.integers(1, 5), st.data())
def test_answers_are_those_of_masked_attention(order: int, n: int, data: st.DataObject) -> None:
    family = BinaryValues(binary_keys(n), d_v=2, order=order)
    window = data.draw(st.integers(1, n))
    bits = data.draw(st.tuples(*[st.integers(0, 1)] * (2 * n)))
    factory = configure(WindowCache, family=family, window=window)
    tokens = family.encode(bits)
    state = record(factory, tokens, d=family.book.d, d_v=2)
    kept = bits[2 * (n - window) :]
    assert state.bits == 2 * window
    assert int.from_bytes(state.data, "little") == sum(b << k for k, b in enumerate(kept))
    cache = restore(factory, state, order=order, d=family.book.d, d_v=2)
    attention = ExactAttention(*stack(tokens))
    mask = window_mask(n - 1, [window] * order, [n] * order)
    for i in range(n):
        truth = attention(family.query(i), mask=mask)
        answer = cache.answer(family.query(i))
        assert list(answer) == truth.floats()
        if i >= n - window:
            assert family.decode(answer) == family.row(bits, i)


def test_a_window_of_all_tokens_is_lossless_and_a_shorter_one_not() -> None:
    family = BinaryValues(parabola(4), d_v=1, order=2, guarantee=Guarantee("1/5", "1/10"))  # type: ignore[arg-type]
    bits = (1, 0, 1, 1)
    assert flips(configure(WindowCache, family=family, window=4), family, bits) is None
    factory = configure(WindowCache, family=family, window=3)
    collision = flips(factory, family, bits)
    assert collision is not None
    assert collision.evaluations == 2
    assert collision.certificate["instances"] == ["1011", "0011"]
    assert check(canonical(collision.certificate), cache=factory).status == "ok"


def test_it_answers_from_the_tokens_so_far() -> None:
    """Also if it answered before; what comes after them in the family is not asked for."""
    family = BinaryValues(binary_keys(4), d_v=1)
    cache = WindowCache(order=2, d=family.book.d, d_v=1, seed=0, family=family, window=1)
    seen = []
    for token in family.encode((0, 1, 1, 0)):
        cache.append(*token)
        seen.append(cache.answer(family.query(0)))
    assert seen == [[0.0], [1.0], [1.0], [0.0]]


def test_flips_finds_nothing_in_an_exact_cache() -> None:
    family = BinaryValues(binary_keys(2), d_v=2, order=2)
    assert flips(ExactCache, family, (0, 1, 1, 0)) is None


@pytest.mark.parametrize(
    ("window", "self_token", "argument", "expected"),
    [
        (0, False, "window", "a whole number >= 1"),
        (5, False, "window", "at most n = 4"),
        (2, True, "family", "one without self token"),
    ],
)
def test_refused_by_name(window: int, self_token: bool, argument: str, expected: str) -> None:
    family = BinaryValues(binary_keys(4), d_v=1, self_token=self_token)
    with pytest.raises(InputError) as caught:
        WindowCache(order=2, d=2, d_v=1, seed=0, family=family, window=window)
    assert (caught.value.argument, caught.value.expected) == (argument, expected)


def test_values_that_are_no_bits_refused() -> None:
    family = BinaryValues(binary_keys(2), d_v=1)
    cache = WindowCache(order=2, d=1, d_v=1, seed=0, family=family, window=1)
    with pytest.raises(InputError, match=r"values\[0\]: expected 0 or 1, got 2"):
        cache.append([[1], [1]], [[2], [1]])


def test_flips_refuses_what_is_no_instance() -> None:
    family = BinaryValues(binary_keys(2), d_v=1)
    with pytest.raises(InputError, match="bits"):
        flips(ExactCache, family, (0, 1, 1))

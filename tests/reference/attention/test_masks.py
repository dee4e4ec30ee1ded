"""Causal and window masks against their definition, and their refusals."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import ExactAttention, InputError, causal_mask, window_mask

small = st.integers(1, 4)


@given(st.integers(0, 6), st.lists(st.tuples(small, small), min_size=1, max_size=3))
def test_window_is_its_definition(i: int, slots: list[tuple[int, int]]) -> None:
    widths, lengths = [w for w, _ in slots], [n for _, n in slots]
    mask = window_mask(i, widths, lengths)
    assert mask.shape == tuple(lengths)
    assert mask.dtype == np.bool_
    for t in product(*map(range, lengths)):
        assert mask[t] == all(i - w < j <= i for j, w in zip(t, widths, strict=True))


@given(st.integers(0, 4), st.lists(small, min_size=1, max_size=3))
def test_causal_is_its_definition(i: int, lengths: list[int]) -> None:
    mask = causal_mask(i, lengths)
    assert mask.shape == tuple(lengths)
    for t in product(*map(range, lengths)):
        assert mask[t] == (max(t) <= i)


def test_window_that_cuts_on_both_sides() -> None:
    assert window_mask(2, [2], [5]).tolist() == [False, True, True, False, False]
    assert window_mask(1, [1, 2], [2, 3]).tolist() == [[False] * 3, [True, True, False]]


def test_causal_attention_is_attention_over_the_prefix() -> None:
    keys, values = [[1, 0], [2, 1], [0, 3]], [[1], [5], [7]]
    q = [1, -1]
    masked = ExactAttention([keys] * 2, [values] * 2)(q, mask=causal_mask(1, (3, 3)))
    prefix = ExactAttention([keys[:2]] * 2, [values[:2]] * 2)(q)
    assert masked == prefix


@pytest.mark.parametrize(
    ("arguments", "argument", "expected", "got"),
    [
        ((-1, [1], [3]), "position", "a whole number >= 0", "-1"),
        ((1.0, [1], [3]), "position", "a whole number >= 0", "1.0"),
        ((0, [0], [3]), "widths[0]", "a whole number >= 1", "0"),
        ((0, [1, True], [3, 3]), "widths[1]", "a whole number >= 1", "True"),
        ((0, [1], [0]), "lengths[0]", "a whole number >= 1", "0"),
        ((0, [1, 1], [2, "2"]), "lengths[1]", "a whole number >= 1", "'2'"),
        ((0, [1], [2, 2]), "widths", "2 widths, one a slot", "1"),
        ((0, [], []), "lengths", "one length a slot", "an empty sequence"),
    ],
)
def test_window_refused(arguments: tuple[Any, ...], argument: str, expected: str, got: str) -> None:
    with pytest.raises(InputError) as caught:
        window_mask(*arguments)
    error = caught.value
    assert (error.argument, error.expected, error.got) == (argument, expected, got)


@pytest.mark.parametrize(
    ("position", "lengths", "argument"),
    [(-1, [3], "position"), (True, [3], "position"), (0, [], "lengths"), (0, [2, 0], "lengths[1]")],
)
def test_causal_refused(position: Any, lengths: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        causal_mask(position, lengths)
    assert caught.value.argument == argument


@pytest.mark.parametrize("mask", [lambda: causal_mask(0, 5), lambda: window_mask(0, [1], 5)])  # type: ignore[arg-type]
def test_number_for_lengths_is_refused_by_name(mask: Any) -> None:
    with pytest.raises(InputError, match="lengths"):
        mask()


def test_mask_that_keeps_nothing_is_refused_where_it_is_used() -> None:
    mask = window_mask(9, [1], [3])
    assert not mask.any()
    with pytest.raises(InputError, match=r"mask: expected at least one tuple"):
        ExactAttention([[[1], [2], [3]]], [[[1], [2], [3]]])([1], mask=mask)

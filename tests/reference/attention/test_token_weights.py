"""Weights of tokens: what attention gives back for values of a single one, in balls and floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kvfloor import ExactAttention, InputError, Window
from kvfloor.attention import TokenWeights
from kvfloor.numbers import ball_ends

RNG = np.random.default_rng(5)
KEYS = [RNG.integers(-3, 4, size=(n, 3)) / 4 for n in (4, 2, 3)]
QUERIES = RNG.integers(-8, 9, size=(5, 3)) / 2
MASKS = RNG.random((5, 4, 2, 3)) < 0.4
MASKS[:, 1, 0, 2] = True


def exact(order: int, slot: int, token: int, query: int, scale: Any, mask: Any) -> Any:
    values = [[[1]] * len(K_r) for K_r in KEYS[:order]]
    values[slot] = [[int(i == token)] for i in range(len(KEYS[slot]))]
    attention = ExactAttention(KEYS[:order], values, scale=scale)
    return attention(QUERIES[query], mask=None if mask is None else mask[query])


@pytest.mark.parametrize(("order", "slot"), [(1, 0), (2, 0), (2, 1), (3, 1)])
@pytest.mark.parametrize("scale", [1, "1/sqrt(d)"])
@pytest.mark.parametrize("masked", [False, True])
def test_they_are_the_outputs_for_a_single_token(
    order: int, slot: int, scale: Any, masked: bool
) -> None:
    mask = {1: MASKS[:, :, 0, 2], 2: MASKS[:, :, :, 2], 3: MASKS}[order] if masked else None
    weights = TokenWeights(QUERIES, KEYS[:order], slot=slot, scale=scale, mask=mask)
    tokens = [*range(weights.tokens)][::-1]
    plain = weights.plain()
    for row, query in zip(weights.enclose([3, 0, 4], tokens), (3, 0, 4), strict=True):
        for ball, token in zip(row, tokens, strict=True):
            low, high = exact(order, slot, token, query, scale, mask).bounds(0, 80)
            lower, upper = ball_ends(ball)
            assert lower <= high
            assert low <= upper
            assert upper - lower < 2.0**-60
            assert abs(plain[query, token] - float(low)) < 1e-12


def test_a_window_is_a_mask() -> None:
    weights = TokenWeights(QUERIES[:4], KEYS[:1], mask=Window(1, 0))
    assert [weights.seen(b).tolist() for b in (0, 3)] == [[1, 0, 0, 0], [0, 0, 1, 1]]
    assert weights.enclose([0], [0, 1]) == [[1, 0]]
    assert weights.plain()[0].tolist() == [1, 0, 0, 0]


def test_large_logits_keep_their_accuracy() -> None:
    keys = [[[1, 0], [1 - 2.0**-40, 0]]]
    weights = TokenWeights([[2.0**40, 0]], keys, scale="1/sqrt(d)")
    (ball,) = weights.enclose([0], [1])[0]
    low, high = ball_ends(ball)
    assert abs(low - float(1 / (1 + np.exp(0.5**0.5)))) < 1e-15
    assert high - low < 2.0**-60
    assert weights.logit_bits([0]) == 41


@pytest.mark.parametrize(
    ("terms", "argument"),
    [
        ({"slot": 1}, "slot"),
        ({"slot": -1}, "slot"),
        ({"mask": [[True] * 4, [False] * 4]}, "mask"),
        ({"query": [[1, 2]]}, "keys[0]"),
        ({"keys": [[[1, 2]], 3]}, "keys[1]"),
        ({"keys": [[1, 2], [3, 4]]}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": [np.full((2, 3), np.nan)]}, "keys[0][0][0]"),
    ],
)
def test_bad_input_is_named(terms: dict[str, Any], argument: str) -> None:
    given: dict[str, Any] = {"query": QUERIES[:2], "keys": KEYS[:1]} | terms
    with pytest.raises(InputError) as caught:
        TokenWeights(given.pop("query"), given.pop("keys"), **given)
    assert caught.value.argument == argument
